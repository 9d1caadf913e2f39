import { reveal } from '@infra/shared/command/secret'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace } from '@infra/shared/platform/names'
import { age, size } from '@infra/shared/report/amounts'
import type { Rows } from '@infra/shared/report/table'
import type { StoatEnv } from '../env/env.ts'
import { givenKey, type HeldSecret, keyNames, stoatSecret } from '../keys.ts'
import { type LastBackup, lastBackup } from './last.ts'
import { dataKeys, fingerprint } from './manifest.ts'

/** What `status` asks of backups. */
export const backupQuestions = () => ({ last: lastBackup(), held: secretValues(namespace, stoatSecret) })

/** The newest backup, and where there are copies of the keys that data depends on. `now` in milliseconds since 1970. */
export function backupSections(
  env: StoatEnv,
  { last, held }: { readonly last: LastBackup | null; readonly held: HeldSecret },
  now = Date.now(),
): Readonly<Record<'backup' | 'keys', Rows>> {
  const made = last && [
    ...[`${age(now - last.at)} ago`, size(last.bytes), String(last.documents), String(last.objects)],
    `${last.place}/${last.name}`,
  ]
  const keys = dataKeys.flatMap((name) => {
    const key = held?.get(keyNames[name])
    if (!key) return []
    const given = givenKey(env, name)
    const inBackup = { encryption: last?.encryptionKey, vapid: last?.vapidKey }[name]
    const copies = [
      ...(given && reveal(given) === reveal(key) ? ['the environment'] : []),
      ...(inBackup === fingerprint(key) ? ['the newest backup'] : []),
    ]
    return [[keyNames[name], fingerprint(key), copies.join(', ') || 'none: npm run show-keys -w stoat prints one']]
  })
  return {
    backup: [['MADE', 'SIZE', 'DOCUMENTS', 'FILES', 'WHERE'], ...(made ? [made] : [['never', '', '', '', '']])],
    keys: [['KEY', 'FINGERPRINT', 'COPIES'], ...keys],
  }
}
