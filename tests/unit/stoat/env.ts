import { secret } from '@infra/shared/command/secret'
import { sampleEnv } from '@infra/shared/env/sample'
import { sampleVapidPrivate } from '@infra/shared/env/vapid'
import { type StoatEnv, stoatSchema } from '../../../stoat/env/env.ts'
import type { StoatKeys } from '../../../stoat/keys.ts'

/** The environment of the samples, with more. */
export const stoatEnv = (more: Partial<StoatEnv> = {}): StoatEnv => ({ ...sampleEnv(stoatSchema), ...more })

/** Keys that nobody has. */
export const keys: StoatKeys = {
  encryption: secret(Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')),
  vapid: secret(sampleVapidPrivate()),
  rabbitmq: secret('broker-password-1'),
  minio: secret('store-password-1'),
}
