import type { Secret } from '@infra/shared/command/secret'
import { vapidPair } from '@infra/shared/env/vapid'
import { type EnvOf, type Rule, schema } from '@infra/shared/env/variable'
import {
  accountVariables,
  kubernetesPlace,
  kubernetesVariables,
  ROLLOUT_TIMEOUT,
  STORAGE_CLASS,
} from '@infra/shared/platform/env'
import { backupVariables } from './backup.ts'
import { featureVariables } from './features.ts'
import { gatewayVariables } from './gateway.ts'
import { imageVariables, mongoMajor } from './images.ts'
import { keyVariables } from './keys.ts'
import { storeVariables } from './stores.ts'

const s3 = ['STOAT_S3_ENDPOINT', 'STOAT_S3_ACCESS_KEY_ID', 'STOAT_S3_SECRET_ACCESS_KEY'] as const

const rules: readonly Rule[] = [
  {
    kind: 'check',
    of: ['STOAT_VAPID_PRIVATE_KEY', 'STOAT_VAPID_PUBLIC_KEY'],
    check: ([privateKey, publicKey]) => vapidPair(privateKey as Secret, String(publicKey)),
    remedy: 'empty STOAT_VAPID_PUBLIC_KEY: it is derived from the private half',
  },
  { kind: 'needs', of: ['STOAT_VAPID_PUBLIC_KEY', 'STOAT_VAPID_PRIVATE_KEY'] },
  { kind: 'all or none', of: s3 },
  { kind: 'all or none', of: ['STOAT_HCAPTCHA_KEY', 'STOAT_HCAPTCHA_SITEKEY'] },
  {
    kind: 'all or none',
    of: ['STOAT_SMTP_HOST', 'STOAT_SMTP_USERNAME', 'STOAT_SMTP_PASSWORD', 'STOAT_SMTP_FROM'],
  },
  { kind: 'needs', of: ['STOAT_SMTP_REPLY_TO', 'STOAT_SMTP_HOST'] },
  {
    kind: 'check',
    of: ['STOAT_SMTP_TLS', 'STOAT_SMTP_PORT'],
    check: ([tls, port]) => {
      if (tls === 'starttls' && port === 465) return 'is starttls, but port 465 speaks TLS from the first byte'
      return tls === 'tls' && port === 587 ? 'is tls, but port 587 begins in plain text (STARTTLS)' : undefined
    },
    remedy: 'STOAT_SMTP_TLS=starttls goes with port 587, STOAT_SMTP_TLS=tls with port 465',
  },
  {
    kind: 'check',
    of: ['STOAT_TLS', 'STOAT_GATEWAY'],
    check: ([tls, gateway]) =>
      tls === 'gateway' && gateway === 'http-route'
        ? 'is gateway, but an HTTPRoute brings plain HTTP to Caddy'
        : undefined,
    remedy: 'STOAT_TLS=upstream where the Gateway of the HTTPRoute has the certificate',
  },
  {
    kind: 'check',
    of: ['STOAT_IMAGES', 'STOAT_MONGODB_IMAGE'],
    check: ([profile, image]) => {
      const major = mongoMajor(String(image))
      return profile === 'next' && major !== undefined && major < 7
        ? `is next, which needs MongoDB 7 or newer: with MongoDB ${major} it crashes from its second start on`
        : undefined
    },
    remedy: 'set STOAT_MONGODB_IMAGE to MongoDB 7, after upgrading the data version by version',
  },
]

export const stoatSchema = schema(
  'stoat',
  'Stoat chat platform',
  {
    ...gatewayVariables,
    ...imageVariables,
    ...storeVariables,
    ...keyVariables,
    ...featureVariables,
    ...backupVariables,
    ...kubernetesVariables,
    ...accountVariables,
    STORAGE_CLASS,
    ROLLOUT_TIMEOUT,
  },
  rules,
  [kubernetesPlace],
)

export type StoatEnv = EnvOf<typeof stoatSchema>
