import { type KubeObject, kubectlApply, ownLabels } from '@infra/shared/command/kubectl'
import { Failure } from '@infra/shared/engine/failure'
import type { Question } from '@infra/shared/engine/step'
import { configMapData } from '@infra/shared/facts/kubernetes/config-map'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { backupConfigMap } from '../services.ts'

/** What the cluster remembers of the newest backup that was taken of it. */
export interface LastBackup {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number
  /** The file's name. */
  readonly name: string
  /** The machine and folder that it was written to: `ana@laptop:/home/ana/backups`. It may have been moved since. */
  readonly place: string
  readonly bytes: number
  readonly documents: number
  readonly objects: number
  /** Which keys it holds: their fingerprints (manifest.ts). */
  readonly encryptionKey: string
  readonly vapidKey: string
}

/** The newest backup that was taken of this Stoat; null where none was. Throws when that could not be read. */
export function lastBackup(): Question<LastBackup | null> {
  const { command, parse } = configMapData(namespace, backupConfigMap)
  return {
    command,
    parse(output) {
      const data = parse(output)
      return data === null ? null : readLast(data)
    },
  }
}

function readLast(data: Readonly<Record<string, string>>): LastBackup {
  const { made = '', name = '', place = '', encryptionKey = '', vapidKey = '' } = data
  const [bytes, documents, objects] = [data.bytes, data.documents, data.objects].map(Number)
  const at = Date.parse(made)
  if (Number.isNaN(at)) throw new Error(`ConfigMap ${backupConfigMap} does not tell when the last backup was made`)
  const counts = { bytes: bytes || 0, documents: documents || 0, objects: objects || 0 }
  return { at, name, place, ...counts, encryptionKey, vapidKey }
}

/** Whether there is a backup that is at most so many days old. `now` in milliseconds since 1970. */
export const hasBackupYoungerThan = (last: LastBackup | null, days: number, now = Date.now()): boolean =>
  last !== null && now - last.at <= days * 86_400_000

/** Has the cluster remember a backup. */
export async function keepLastBackup({ kube }: Pick<StoatContext, 'kube'>, { at, ...rest }: LastBackup): Promise<void> {
  const labels = { app: backupConfigMap, ...ownLabels({ workspace: 'stoat', script: 'backup' }) }
  const told = Object.entries({ made: new Date(at).toISOString(), ...rest })
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: backupConfigMap, namespace, labels },
    data: Object.fromEntries(told.map(([key, value]) => [key, String(value)])),
  }
  const [output] = await kube.run([kubectlApply([object])], () => {})
  if (output?.code !== 0) throw new Failure('error', `the cluster did not keep ${backupConfigMap}: ${output?.stderr}`)
}
