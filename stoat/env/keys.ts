import { key32 } from '@infra/shared/env/random'
import { base64Key } from '@infra/shared/env/secrets'
import { newVapidPrivate, vapidPrivate, vapidPublic, vapidPublicOf } from '@infra/shared/env/vapid'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const keys = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Keys', adoptedBy, ...meta })

/** What takes the keys over of a Stoat that another tool deployed. */
export const adoptedBy = 'npm run adopt -w stoat'

const unset = 'the key that the cluster holds; at the first deploy it is made'

/** Keys that are made once and never again. */
export const keyVariables = {
  STOAT_ENCRYPTION_KEY: variable(
    base64Key(32).optional(),
    keys({
      tfvar: 'stoat_encryption_key',
      description: 'Encrypts uploaded files: without it they are lost, so keep a copy (`show-keys`)',
      example: '32 random bytes (openssl rand -base64 32)',
      secret: true,
      generate: key32,
      unset,
    }),
  ),
  STOAT_VAPID_PRIVATE_KEY: variable(
    vapidPrivate().optional(),
    keys({
      tfvar: 'stoat_vapid_private_key',
      description: 'Signs push notifications: an EC key on prime256v1, PEM in base64url',
      example: 'the value of generate_config.sh',
      secret: true,
      generate: (given) => (given('STOAT_VAPID_PUBLIC_KEY') ? undefined : newVapidPrivate()),
      unset,
    }),
  ),
  STOAT_VAPID_PUBLIC_KEY: variable(
    vapidPublic().optional(),
    keys({
      tfvar: 'stoat_vapid_public_key',
      description: 'The public half of the same key',
      example: 'the value of generate_config.sh, which begins with B',
      generate: (given) => vapidPublicOf(given('STOAT_VAPID_PRIVATE_KEY') ?? ''),
      unset: 'it is derived from the private half',
    }),
  ),
}
