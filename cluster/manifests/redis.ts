import type { KubeObject } from '@infra/shared/command/kubectl'
import { locked, metaOf, podSecurity, resources, service } from '@infra/shared/platform/manifests'
import { listens } from './ports.ts'

export interface RedisOptions {
  readonly image: string
  /** Of its volume: `1Gi`. It can never change here. */
  readonly size: string
  readonly storageClass: string
  /** The name of its claim template: `data` makes the claim `data-redis-0`. */
  readonly claim: string
}

/** Redis, one replica, every write appended to a file on a volume of its own. */
export function redis({ image, size, storageClass, claim }: RedisOptions): KubeObject[] {
  const ping = (every: number) => ({
    exec: { command: ['redis-cli', 'ping'] },
    periodSeconds: every,
    timeoutSeconds: 5,
  })
  return [
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
          metadata: { labels: { app: 'redis' } },
          spec: {
            automountServiceAccountToken: false,
            securityContext: podSecurity(999),
            terminationGracePeriodSeconds: 30,
            containers: [
              {
                name: 'redis',
                image,
                command: ['redis-server'],
                args: ['--dir', '/data', '--appendonly', 'yes', '--appendfsync', 'everysec', '--protected-mode', 'no'],
                ports: [{ name: 'redis', containerPort: listens.redis, protocol: 'TCP' }],
                readinessProbe: { ...ping(5), initialDelaySeconds: 1 },
                livenessProbe: { ...ping(30), initialDelaySeconds: 10 },
                resources: resources({ memory: '64Mi..256Mi', cpu: '50m..250m' }),
                securityContext: locked,
                volumeMounts: [{ name: claim, mountPath: '/data' }],
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
