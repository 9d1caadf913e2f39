import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { must } from './run.ts'

/** The Nodes to try: one too old, the oldest supported, the first that strips types itself, the current LTS. */
export const nodeNames = ['node18', 'node20', 'node22', 'node24'] as const
export type NodeName = (typeof nodeNames)[number]

const folder = join(import.meta.dirname, 'nodes')

/**
 * The folders that hold the programs `node` of each, from npm's registry, installed once (a quarter of a minute). They
 * are a project of their own: in the repository's `node_modules/.bin` one of them would be the `node` of all npm scripts.
 */
export async function nodeFolders(): Promise<Readonly<Record<NodeName, string>>> {
  const lock = await readFile(join(folder, 'package-lock.json'), 'utf8')
  const made = await cached('nodes', { version: 1, lock }, async (to) => {
    for (const file of ['package.json', 'package-lock.json']) await copyFile(join(folder, file), join(to, file))
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: to })
  })
  const found = nodeNames.map((name) => [name, join(made, 'node_modules', name, 'bin')] as const)
  return Object.fromEntries(found) as Record<NodeName, string>
}
