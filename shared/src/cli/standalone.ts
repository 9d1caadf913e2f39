import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Entry } from './help.ts'
import { main } from './main.ts'
import type { Workspace } from './workspace.ts'

/**
 * Lets a script be run by itself: `node --import tsx pod/scripts/30-postgresql.ts --check`. Does nothing when the file
 * was imported. The workspace, the file in the folder above that is called like it unless told, imports the script, so
 * it is loaded late.
 */
export function standalone(url: string, workspace?: string): void {
  const file = fileURLToPath(url)
  const started = process.argv[1]
  if (!started || realpathSync(started) !== file) return
  const folder = dirname(dirname(file))
  const name = basename(folder)
  const script = basename(file).replace(/^\d+-|\.ts$/g, '')
  const load = () => import(pathToFileURL(join(folder, workspace ?? `${name}.ts`)).href)
  void load().then(({ default: { own } }: { default: Workspace }) => {
    const entry: Entry = { name, about: `the script ${script}`, folder, load, ...(own && { own }) }
    return main(entry, ['deploy', '--tags', script, ...process.argv.slice(2)])
  })
}
