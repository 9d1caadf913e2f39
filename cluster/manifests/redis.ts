import { type KubeObject, secretData } from '@infra/shared/command/kubectl'
import { derive, type Secret, secret } from '@infra/shared/command/secret'
import { locked, metaOf, podSecurity, resources, service } from '@infra/shared/platform/manifests'
import { redisSecret, redisService } from '@infra/shared/platform/names'
import { secretsDigest } from './digest.ts'
import { listens } from './ports.ts'

export interface RedisOptions {
  readonly image: string
  /** Of its volume: `1Gi`. It can never change here. */
  readonly size: string
  readonly storageClass: string
  /** The name of its claim template: `data` makes the claim `data-redis-0`. */
  readonly claim: string
  readonly password?: Secret | undefined
}

/** Redis's own settings, in its Secret: the password is in no argument. */
const settings = { key: 'redis.conf', folder: '/etc/redis' } as const

/** The URL by which clients reach Redis. */
export const redisUrl = (password: Secret | undefined): Secret => {
  const { name, port } = redisService
  return password === undefined
    ? secret(`redis://${name}:${port}/`)
    : derive((open) => `redis://:${open(password)}@${name}:${port}/`)
}

/** How Redis is reached. It is there without a password too, so that whoever reads it finds what is in force. */
function auth(password: Secret | undefined): KubeObject {
  const values = {
    [redisSecret.url]: redisUrl(password),
    ...(password && { password, [settings.key]: derive((open) => `requirepass ${open(password)}\n`) }),
  }
  const metadata = metaOf(redisSecret.name)
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: secretData(values) }
}

/** Redis, one replica, every write appended to a file on a volume of its own. */
export function redis({ image, size, storageClass, claim, password }: RedisOptions): KubeObject[] {
  const ping = (every: number) => ({
    exec: { command: ['redis-cli', 'ping'] },
    periodSeconds: every,
    timeoutSeconds: 5,
  })
  const mounted = { name: 'settings', mountPath: settings.folder, readOnly: true }
  return [
    auth(password),
    service('redis', 'redis', { redis: listens.redis }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: metaOf('redis'),
      spec: {
        replicas: 1,
        serviceName: 'redis',
        selector: { matchLabels: { app: 'redis' } },
        template: {
          metadata: {
            labels: { app: 'redis' },
            ...(password && { annotations: { 'infra/secrets': secretsDigest({ password }, password) } }),
          },
          spec: {
            automountServiceAccountToken: false,
            securityContext: podSecurity(999),
            terminationGracePeriodSeconds: 30,
            ...(password && { volumes: [settingsVolume] }),
            containers: [
              {
                name: 'redis',
                image,
                command: ['redis-server'],
                args: [
                  ...(password ? [`${settings.folder}/${settings.key}`] : []),
                  ...['--dir', '/data', '--appendonly', 'yes', '--appendfsync', 'everysec', '--protected-mode', 'no'],
                ],
                // By this redis-cli signs in, in the probes and in `kubectl exec`.
                ...(password && { env: [passwordAs('REDISCLI_AUTH')] }),
                ports: [{ name: 'redis', containerPort: listens.redis, protocol: 'TCP' }],
                readinessProbe: { ...ping(5), initialDelaySeconds: 1 },
                livenessProbe: { ...ping(30), initialDelaySeconds: 10 },
                resources: resources({ memory: '64Mi..256Mi', cpu: '50m..250m' }),
                securityContext: locked,
                volumeMounts: [{ name: claim, mountPath: '/data' }, ...(password ? [mounted] : [])],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: claim },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: storageClass,
              resources: { requests: { storage: size } },
            },
          },
        ],
      },
    },
  ]
}

const settingsVolume = {
  name: 'settings',
  secret: { secretName: redisSecret.name, defaultMode: 0o440, items: [{ key: settings.key, path: settings.key }] },
}

const passwordAs = (name: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: redisSecret.name, key: 'password' } },
})
