import type { Text } from '@infra/shared/command/command'
import { derive, reveal, type Secret, secret } from '@infra/shared/command/secret'
import { toml } from '@infra/shared/command/toml'
import { vapidPublicOf } from '@infra/shared/env/vapid'
import { redisService } from '@infra/shared/platform/names'
import type { StoatEnv } from '../env/env.ts'
import type { StoatKeys } from '../keys.ts'
import { urlsOf } from '../urls.ts'

const megabyte = 1_000_000

/** The largest file of another kind than attachments, in megabytes: a banner or background. */
const largestPicture = 6

/** Where files are kept: MinIO in the cluster, or an S3 of the user's. */
export function fileStore(env: StoatEnv) {
  const external = env.STOAT_S3_ENDPOINT
  return {
    endpoint: external ?? 'http://stoat-minio:9000',
    pathStyle: external === undefined || env.STOAT_S3_PATH_STYLE,
    region: external === undefined ? 'minio' : env.STOAT_S3_REGION,
    bucket: env.STOAT_S3_BUCKET,
  }
}

/** `Revolt.toml`, the part of the configuration that holds no secret. Its keys and those of the overrides are disjoint. */
export function revoltToml(env: StoatEnv): string {
  const { app, api, events, autumn, january } = urlsOf(env)
  const store = fileStore(env)
  const limit = env.STOAT_UPLOAD_LIMIT_MB
  const mail = env.STOAT_SMTP_HOST !== undefined
  const attachments = { attachments: limit * megabyte }
  const rendered = toml({
    database: { mongodb: 'mongodb://stoat-mongodb:27017' },
    hosts: { app, api, events, autumn, january },
    rabbit: { host: 'stoat-rabbitmq', port: 5672 },
    'api.registration': { invite_only: env.STOAT_INVITE_ONLY },
    'api.smtp': mail
      ? {
          host: env.STOAT_SMTP_HOST,
          username: env.STOAT_SMTP_USERNAME,
          from_address: env.STOAT_SMTP_FROM,
          reply_to: env.STOAT_SMTP_REPLY_TO,
          port: env.STOAT_SMTP_PORT,
          use_tls: env.STOAT_SMTP_TLS === 'tls',
          use_starttls: env.STOAT_SMTP_TLS === 'starttls',
        }
      : {},
    // Caddy says in CF-Connecting-IP who the client is, on every route.
    'api.security': { trust_cloudflare: true },
    'api.security.captcha': { hcaptcha_sitekey: env.STOAT_HCAPTCHA_SITEKEY },
    'files.s3': {
      endpoint: store.endpoint,
      path_style_buckets: store.pathStyle,
      region: store.region,
      default_bucket: store.bucket,
    },
    // The body of a request holds a little more than the file in it.
    'features.limits.global': { body_limit_size: (Math.max(limit, largestPicture) + 1) * megabyte },
    'features.limits.new_user.file_upload_size_limit': attachments,
    'features.limits.default.file_upload_size_limit': attachments,
  })
  return rendered.parts.join('')
}

/** `Revolt.overrides.toml`, the secret part, in one file. `redis`: the URL that the cluster tells of its Redis. */
export function overridesToml(env: StoatEnv, keys: StoatKeys, redis?: Secret): Text {
  return toml({
    database: { redis: env.STOAT_REDIS_URL ?? redis ?? `redis://${redisService.name}:${redisService.port}/` },
    rabbit: { username: env.STOAT_RABBITMQ_USER, password: keys.rabbitmq },
    'api.smtp': { password: env.STOAT_SMTP_HOST === undefined ? undefined : env.STOAT_SMTP_PASSWORD },
    'api.security': { tenor_key: env.STOAT_GIF_KEY },
    'api.security.captcha': { hcaptcha_key: env.STOAT_HCAPTCHA_KEY },
    'pushd.vapid': { private_key: keys.vapid, public_key: publicOf(keys.vapid) },
    files: { encryption_key: keys.encryption },
    'files.s3': {
      access_key_id: env.STOAT_S3_ACCESS_KEY_ID ?? secret(env.STOAT_MINIO_USER),
      secret_access_key: env.STOAT_S3_SECRET_ACCESS_KEY ?? keys.minio,
    },
  })
}

/** The public VAPID key of a private one. Throws for what is none: the environment's type lets none through. */
export function publicOf(key: Secret): string {
  const found = vapidPublicOf(reveal(key))
  if (found === undefined) throw new TypeError('the VAPID key is none')
  return found
}

/** RabbitMQ's users as it reads them at each start, so that a changed password is in force after it. */
export function brokerDefinitions(user: string, hash: Secret): Secret {
  return derive((open) =>
    JSON.stringify({
      users: [
        {
          name: user,
          password_hash: open(hash),
          hashing_algorithm: 'rabbit_password_hashing_sha256',
          tags: ['administrator'],
        },
      ],
      vhosts: [{ name: '/' }],
      permissions: [{ user, vhost: '/', configure: '.*', write: '.*', read: '.*' }],
    }),
  )
}
