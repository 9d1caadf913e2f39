import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Workspace } from './workspace.ts'

/**
 * Lets a script be run by itself: `node --import tsx pod/scripts/30-postgresql.ts --check`. Does nothing when the file
 * was imported. The workspace is loaded late, since it imports the script.
 */
export function standalone(url: string, load: () => Promise<{ default: Workspace }>, name: string): void {
  const started = process.argv[1]
  if (!started || realpathSync(started) !== fileURLToPath(url)) return
  void (async () => {
    const [{ main }, { default: workspace }] = await Promise.all([import('./main.ts'), load()])
    await main(workspace, ['deploy', '--tags', name, ...process.argv.slice(2)])
  })()
}
