import type { KubeObject } from '@infra/shared/command/kubectl'
import type { Secret } from '@infra/shared/command/secret'
import { stampName } from '@infra/shared/facts/kubernetes/key-stamp'
import {
  locked,
  lockedWritable,
  metaOf,
  plainEnv,
  podSecurity,
  resources,
  secretEnv,
  service,
} from '@infra/shared/platform/manifests'
import { secretsDigest } from './digest.ts'
import { appSecret, pullSecretOptions } from './namespace.ts'
import { listens } from './ports.ts'

export interface BotOptions {
  readonly image: string
  readonly env: Readonly<Record<string, string | number | boolean | undefined>>
  /** What is in its Secret, as far as it is known here: when it changes, the bot starts anew. */
  readonly secrets: Readonly<Record<string, Secret>>
  /** The user that it runs as, of its image. */
  readonly user: number
  /** Whether it may write to the root of its image, beside /tmp. */
  readonly writableRoot: boolean
  /** Tells which access key its Secret holds, where one is made for it: when it changes, the bot starts anew. */
  readonly key?: string | undefined
}

/** The bot, one replica; a new one takes over only once it is ready. */
export function discordBot({ image, env, secrets, key, user, writableRoot }: BotOptions): KubeObject[] {
  const probe = (path: string, delay: number, every: number) => ({
    httpGet: { path, port: 'http', scheme: 'HTTP' },
    initialDelaySeconds: delay,
    periodSeconds: every,
    timeoutSeconds: 5,
    failureThreshold: 3,
  })
  return [
    service('discord-bot', 'discord-bot', { http: listens.bot }),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metaOf('discord-bot'),
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'discord-bot' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: {
            labels: { app: 'discord-bot' },
            annotations: { 'infra/secrets': secretsDigest(secrets, keyOf(secrets)), ...(key && { [stampName]: key }) },
          },
          spec: {
            automountServiceAccountToken: false,
            imagePullSecrets: [{ name: pullSecretOptions.name }],
            securityContext: podSecurity(user),
            volumes: [{ name: 'tmp', emptyDir: {} }],
            containers: [
              {
                name: 'discord-bot',
                image,
                ports: [{ name: 'http', containerPort: listens.bot, protocol: 'TCP' }],
                env: [
                  ...secretEnv(appSecret, [...new Set([...Object.keys(secrets), ...accessKey])]),
                  ...plainEnv({ ...env, DYNAMODB_SESSIONS_TABLE: 'discord_sessions' }),
                  ...plainEnv({ DYNAMODB_EXECUTIONS_TABLE: 'discord_executions', PORT: listens.bot }),
                ],
                livenessProbe: probe('/health', 10, 30),
                readinessProbe: probe('/ready', 5, 10),
                resources: resources({ memory: '256Mi..512Mi', cpu: '100m..500m' }),
                securityContext: writableRoot ? lockedWritable : locked,
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
          },
        },
      },
    },
  ]
}

/** Its key for AWS, which its Secret holds whoever makes it. */
const accessKey = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** Discord's token cannot be guessed. */
function keyOf({ DISCORD_TOKEN: token }: BotOptions['secrets']): Secret {
  if (!token) throw new Error('the digest of the secrets is keyed by DISCORD_TOKEN')
  return token
}
