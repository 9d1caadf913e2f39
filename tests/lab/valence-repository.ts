import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scratchFolder } from './cache.ts'
import { must } from './run.ts'

export type Commits = {
  /** Before any tag: its tables know no holder. */
  readonly original: string
  readonly 'v1.0.1': string
  readonly 'v1.0.2': string
}

/** A bare git repository with the layout of Valence, and what a test may ask of it. */
export type ValenceRepository = {
  /** The folder that holds `valence.git`. */
  readonly folder: string
  readonly commits: Commits
  remove(): Promise<void>
}

const source = fileURLToPath(new URL('valence', import.meta.url))

/** Makes the stand-in for Valence: an older schema, tag v1.0.1, then v1.0.2, all on branch main; the same commit ids every time. */
export async function makeValenceRepository(): Promise<ValenceRepository> {
  const folder = await scratchFolder('git')
  const [tree, bare] = [join(folder, 'tree'), join(folder, 'valence.git')]
  const git = (day: number, ...args: string[]) => {
    const date = `2026-01-0${day}T00:00:00Z`
    const identity = { GIT_AUTHOR_NAME: 'Valence', GIT_AUTHOR_EMAIL: 'valence@example.org', GIT_AUTHOR_DATE: date }
    const committer = { GIT_COMMITTER_NAME: 'Valence', GIT_COMMITTER_EMAIL: 'valence@example.org' }
    // The machine's own git settings (signing, hooks, templates) have no say here.
    const plain = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
    return must('git', args, { cwd: tree, env: { ...identity, ...committer, ...plain, GIT_COMMITTER_DATE: date } })
  }
  await cp(source, tree, { recursive: true, filter: (path) => !path.includes('__pycache__') })
  await git(1, 'init', '-q', '-b', 'main')
  const schema = join(tree, 'src/valence/substrate/schema.sql')
  const newer = await readFile(schema, 'utf8')
  await writeFile(schema, newer.replace(/^.*holder_id.*\n/gm, ''))
  await git(1, 'add', '.')
  await git(1, 'commit', '-q', '-m', 'Valence')
  const original = (await git(1, 'rev-parse', 'HEAD')).trim()
  await writeFile(schema, newer)
  await git(1, 'commit', '-q', '-a', '-m', 'Valence 1.0.1')
  await git(1, 'tag', '-a', 'v1.0.1', '-m', 'v1.0.1')
  for (const name of ['pyproject.toml', 'src/valence/__init__.py']) {
    const text = await readFile(join(tree, name), 'utf8')
    await writeFile(join(tree, name), text.replace('"1.0.1"', '"1.0.2"'))
  }
  await git(2, 'commit', '-q', '-a', '-m', 'Valence 1.0.2')
  await git(2, 'tag', '-a', 'v1.0.2', '-m', 'v1.0.2')
  await git(2, 'clone', '-q', '--bare', tree, bare)
  const commitOf = async (tag: string) => (await git(2, 'rev-parse', `${tag}^{commit}`)).trim()
  const commits = { original, 'v1.0.1': await commitOf('v1.0.1'), 'v1.0.2': await commitOf('v1.0.2') }
  await rm(tree, { recursive: true })
  return { folder, commits, remove: () => rm(folder, { recursive: true, force: true }) }
}
