import { open, type Session } from '@infra/shared/cli/session'
import { reveal } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { printOpenly } from '@infra/shared/report/outlet'
import type { StoatContext } from '../context.ts'
import { keyNames, keyNamesOf, type StoatKeys, stoatSecret } from '../keys.ts'
import { publicOf } from '../manifests/revolt-toml.ts'

const variables: Readonly<Record<keyof StoatKeys, string>> = {
  encryption: 'STOAT_ENCRYPTION_KEY',
  vapid: 'STOAT_VAPID_PRIVATE_KEY',
  rabbitmq: 'STOAT_RABBITMQ_PASS',
  minio: 'STOAT_MINIO_PASS',
}

/** `show-keys`: what the cluster holds, as lines for `.env.stoat`; that is what they are asked for. */
export async function runShowKeys(session: Session): Promise<number> {
  const context = open(session, 'access').context as StoatContext
  await assertInside(context)
  const { held } = await askOf(context.kube, { held: secretValues(namespace, stoatSecret) })
  if (!held)
    throw new Failure('error', `there is no Secret ${stoatSecret} in the cluster yet`, {
      remedy: 'npm run deploy -w stoat makes it.',
    })
  const found = keyNamesOf.flatMap((name) => {
    const value = held.get(keyNames[name])
    return value ? [[variables[name], reveal(value)] as const] : []
  })
  const vapid = held.get(keyNames.vapid)
  const all = vapid ? [...found, ['STOAT_VAPID_PUBLIC_KEY', publicOf(vapid)] as const] : found
  if (session.options.json) printOpenly(JSON.stringify(Object.fromEntries(all), null, 2))
  else printOpenly(all.map(([name, value]) => `export ${name}='${value}'`).join('\n'))
  return 0
}
