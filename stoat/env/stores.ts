import type { Secret } from '@infra/shared/command/secret'
import { url } from '@infra/shared/env/network'
import { hidden, type Parsed } from '@infra/shared/env/parsed'
import { password } from '@infra/shared/env/random'
import { parseStrong, token } from '@infra/shared/env/secrets'
import { flag, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'
import { adoptedBy } from './keys.ts'

/** The size of a volume. */
export const size = () => matching(/^[1-9]\d*[KMGT]i$/, 'a size such as 10Gi')

const of =
  (group: string) =>
  (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group, ...meta })
const [rabbit, minio, s3, stores] = [of('RabbitMQ'), of('MinIO'), of('External file store'), of('Stores')]

const userName = () => matching(/^[A-Za-z][A-Za-z0-9_-]{2,62}$/, 'a user name (3 to 63 letters, digits, - and _)')

/** The passwords of the original's own example: accepted only where they are in force already. */
export const originalPasswords = { rabbitmq: 'rabbitpass', minio: 'minioautumn' } as const

/** A password that is hard to guess, or the one that the original's example had. */
const passwordOr = (original: string): Parsed<Secret> =>
  hidden((text) => (text === original ? { value: text } : parseStrong(text)))

const redisUrl = (): Parsed<Secret> =>
  hidden((text) => {
    const at = URL.canParse(text) ? new URL(text) : undefined
    if (!at || !/^rediss?:$/.test(at.protocol) || at.hostname === '')
      return { wrong: 'is not the URL of a Redis (redis://HOST:6379/ or rediss://…)' }
    return { value: text }
  })

/** Databases, broker and file store. */
export const storeVariables = {
  STOAT_RABBITMQ_USER: variable(
    userName().prefault('rabbituser'),
    rabbit({ tfvar: 'stoat_rabbitmq_user', description: 'User of the message broker', example: 'rabbituser' }),
  ),
  STOAT_RABBITMQ_PASS: variable(
    passwordOr(originalPasswords.rabbitmq).optional(),
    rabbit({
      tfvar: 'stoat_rabbitmq_pass',
      adoptedBy,
      description: 'Password of the message broker; a new one is applied to the running broker',
      example: '32 random bytes (openssl rand -base64 32)',
      secret: true,
      generate: password,
      unset: 'the one that the cluster holds; at the first deploy it is made',
    }),
  ),
  STOAT_RABBITMQ_STORAGE: variable(
    size().prefault('5Gi'),
    rabbit({ description: "Size of the broker's volume; the tool does not resize it", example: '10Gi' }),
  ),
  STOAT_MINIO_USER: variable(
    userName().prefault('minioautumn'),
    minio({ tfvar: 'stoat_minio_user', description: 'User (access key) of the file store', example: 'minioautumn' }),
  ),
  STOAT_MINIO_PASS: variable(
    passwordOr(originalPasswords.minio).optional(),
    minio({
      tfvar: 'stoat_minio_pass',
      adoptedBy,
      description: 'Password (secret key) of the file store; a new one is applied to the running store',
      example: '32 random bytes (openssl rand -base64 32)',
      secret: true,
      generate: password,
      unset: 'the one that the cluster holds; at the first deploy it is made',
    }),
  ),
  STOAT_MINIO_STORAGE: variable(
    size().prefault('20Gi'),
    minio({ description: "Size of the file store's volume; the tool does not resize it", example: '100Gi' }),
  ),
  STOAT_S3_ENDPOINT: variable(
    url().optional(),
    s3({
      description: 'URL of your own S3, instead of MinIO',
      example: 'https://tor1.digitaloceanspaces.com',
      unset: 'stoat-minio keeps the files',
    }),
  ),
  STOAT_S3_REGION: variable(
    matching(/^[\w-]+$/, 'the name of a region').prefault('minio'),
    s3({ description: 'Its region', example: 'tor1' }),
  ),
  STOAT_S3_PATH_STYLE: variable(
    flag().prefault('true'),
    s3({ description: 'Whether the bucket is part of the path instead of the host name', example: 'false' }),
  ),
  STOAT_S3_BUCKET: variable(
    matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket').prefault('revolt-uploads'),
    s3({ description: 'The bucket for all files, in that S3 or in MinIO', example: 'revolt-uploads' }),
  ),
  STOAT_S3_ACCESS_KEY_ID: variable(
    token(/^\S{3,128}$/, 'an access key id').optional(),
    s3({ description: 'Access key of that S3', example: '...', placeholder: '...', secret: true }),
  ),
  STOAT_S3_SECRET_ACCESS_KEY: variable(
    token().optional(),
    s3({ description: 'Secret half of that key', example: '...', placeholder: '...', secret: true }),
  ),
  STOAT_REDIS_URL: variable(
    redisUrl().optional(),
    stores({
      description: 'URL of your own Redis',
      example: 'redis://redis.example.com:6379/',
      placeholder: 'redis://...',
      secret: true,
      unset: 'the Redis that the workspace cluster deploys',
    }),
  ),
  STOAT_MONGODB_STORAGE: variable(
    size().prefault('10Gi'),
    stores({ description: "Size of MongoDB's volume; the tool does not resize it", example: '50Gi' }),
  ),
}
