import type { Secret } from '@infra/shared/command/secret'
import { domain } from '@infra/shared/env/network'
import { key32, password } from '@infra/shared/env/random'
import { base64Key, strongSecret } from '@infra/shared/env/secrets'
import { choice, matching } from '@infra/shared/env/text'
import {
  newVapidPrivate,
  sampleVapidPrivate,
  vapidPair,
  vapidPrivate,
  vapidPublic,
  vapidPublicOf,
} from '@infra/shared/env/vapid'
import { schema, variable } from '@infra/shared/env/variable'

const userName = () => matching(/^[A-Za-z][A-Za-z0-9_-]{2,62}$/, 'a user name (3 to 63 letters, digits, - and _)')

const [rabbit, minio, keys] = ['RabbitMQ', 'MinIO', 'Keys']

export const stoatSchema = schema(
  'stoat',
  'Stoat chat platform',
  {
    STOAT_DOMAIN: variable(domain(), {
      tfvar: 'stoat_domain',
      group: 'Stoat',
      description: 'The domain of the web client and of the API',
      example: 'stoat.example.com',
      placeholder: 'stoat.your.domain.com',
    }),
    STOAT_IMAGES: variable(choice('seed', 'current').prefault('seed'), {
      group: 'Stoat',
      description: 'Which images run: `seed` (revoltchat, 20250930-2) or `current` (stoatchat, v0.13.8)',
      example: 'current',
    }),
    STOAT_RABBITMQ_USER: variable(userName().prefault('rabbituser'), {
      tfvar: 'stoat_rabbitmq_user',
      group: rabbit,
      description: 'User of the message broker',
      example: 'rabbituser',
    }),
    STOAT_RABBITMQ_PASS: variable(strongSecret(), {
      tfvar: 'stoat_rabbitmq_pass',
      group: rabbit,
      description: 'Password of the message broker',
      example: '32 random bytes (openssl rand -base64 32)',
      placeholder: 'rabbitpass',
      secret: true,
      generate: password,
    }),
    STOAT_MINIO_USER: variable(userName().prefault('minioautumn'), {
      tfvar: 'stoat_minio_user',
      group: minio,
      description: 'User (access key) of the file store',
      example: 'minioautumn',
    }),
    STOAT_MINIO_PASS: variable(strongSecret(), {
      tfvar: 'stoat_minio_pass',
      group: minio,
      description: 'Password (secret key) of the file store',
      example: '32 random bytes (openssl rand -base64 32)',
      placeholder: 'minioautumn',
      secret: true,
      generate: password,
    }),
    STOAT_ENCRYPTION_KEY: variable(base64Key(32), {
      tfvar: 'stoat_encryption_key',
      tfstate: 'random_password.stoat_encryption_key',
      group: keys,
      description: 'Encrypts uploaded files: without it they are lost, so back it up',
      example: '32 random bytes (openssl rand -base64 32)',
      sample: () => Buffer.from('sample key of the offline plan, 0').subarray(0, 32).toString('base64'),
      secret: true,
      generate: key32,
    }),
    STOAT_VAPID_PRIVATE_KEY: variable(vapidPrivate(), {
      tfvar: 'stoat_vapid_private_key',
      group: keys,
      description: 'Signs push notifications: an EC key on prime256v1, PEM in base64url',
      example: 'the value of generate_config.sh',
      sample: sampleVapidPrivate,
      secret: true,
      generate: (given) => (given('STOAT_VAPID_PUBLIC_KEY') ? undefined : newVapidPrivate()),
    }),
    STOAT_VAPID_PUBLIC_KEY: variable(vapidPublic(), {
      tfvar: 'stoat_vapid_public_key',
      group: keys,
      description: 'The public half of the same key',
      example: 'the value of generate_config.sh, which begins with B',
      sample: () => vapidPublicOf(sampleVapidPrivate()) ?? '',
      generate: (given) => vapidPublicOf(given('STOAT_VAPID_PRIVATE_KEY') ?? ''),
    }),
  },
  [
    {
      kind: 'check',
      of: ['STOAT_VAPID_PRIVATE_KEY', 'STOAT_VAPID_PUBLIC_KEY'],
      check: ([privateKey, publicKey]) => vapidPair(privateKey as Secret, String(publicKey)),
      remedy: 'empty STOAT_VAPID_PUBLIC_KEY, then: npm run validate -w stoat -- --generate',
    },
  ],
)
