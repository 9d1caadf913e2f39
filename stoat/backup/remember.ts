import { hostname, userInfo } from 'node:os'
import { basename, dirname } from 'node:path'
import { askOf } from '@infra/shared/engine/ask'
import type { StoatContext } from '../context.ts'
import { keepLastBackup, lastBackup } from './last.ts'
import type { Manifest } from './manifest.ts'

/** Where a file is, for people: `ana@laptop:/home/ana/backups`. */
export const placeOf = (path: string): string => `${userInfo().username}@${hostname()}:${dirname(path)}`

/**
 * Has the cluster know of a backup, for `verify`, `status` and whoever upgrades, unless it knows of a newer one. `bytes`: the
 * size of its file.
 */
export async function rememberBackup(
  context: StoatContext,
  { path, bytes, manifest }: { readonly path: string; readonly bytes: number; readonly manifest: Manifest },
): Promise<void> {
  const { last } = await askOf(context.kube, { last: lastBackup() })
  const at = Date.parse(manifest.made)
  if (last !== null && last.at > at) return
  const documents = Object.values(manifest.database).reduce((sum, { count }) => sum + count, 0)
  await keepLastBackup(context, {
    ...{ at, name: basename(path), place: placeOf(path) },
    ...{ bytes, documents, objects: manifest.files.count },
    ...{ encryptionKey: manifest.keys.encryption, vapidKey: manifest.keys.vapid },
  })
}
