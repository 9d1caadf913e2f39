import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Entry } from './help.ts'
import { main } from './main.ts'

/**
 * Lets a script be run by itself: `node run.mjs pod/scripts/30-postgresql.ts --check`. Does nothing when the file
 * was imported. The command table of the workspace, `commands/index.ts` in the folder above unless told, leads to the
 * script again, so it is loaded late.
 */
export function standalone(url: string, commands = 'commands/index.ts'): void {
  const file = fileURLToPath(url)
  const started = process.argv[1]
  if (!started || realpathSync(started) !== file) return
  const folder = dirname(dirname(file))
  const script = basename(file).replace(/^\d+-|\.ts$/g, '')
  void import(pathToFileURL(join(folder, commands)).href).then(({ default: entry }: { default: Entry }) =>
    main({ ...entry, about: `the script ${script}` }, ['deploy', '--tags', script, ...process.argv.slice(2)]),
  )
}
