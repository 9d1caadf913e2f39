import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runsBefore, withoutOthersOptions } from '@infra/shared/cli/root-run'
import { describe, expect, it, test } from 'vitest'
import { clusterSettings } from '../../lab/cluster-settings.ts'
import { runAtRoot } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const turbo = { TURBO_HASH: 'x' }

/** A root in which these workspaces have an environment. */
function rootWith(...files: ('pod' | 'cluster' | 'stoat' | 'cluster.staging')[]): string {
  const root = tempFolder()
  const settings = { cluster: clusterSettings, stoat: { STOAT_DOMAIN: 'stoat.example.com' } }
  for (const name of files) {
    const values: object = settings[name as 'stoat'] ?? {}
    const lines = Object.entries(values).map(([variable, value]) => `export ${variable}="${value}"\n`)
    writeFileSync(join(root, `.env.${name}`), lines.join(''), { mode: 0o600 })
  }
  writeFileSync(join(root, '.env.example'), '')
  return root
}

test('the cluster goes before Stoat in a run over all, where it has an environment', () => {
  const before = (env: object, root: string, name?: string) => runsBefore({ ...env }, root, 'cluster', name)
  expect(before(turbo, rootWith('cluster', 'stoat'))).toBe(true)
  expect(before(turbo, rootWith('stoat'))).toBe(false)
  expect(before({}, rootWith('cluster', 'stoat'))).toBe(false)
  // All by variables of the process: a cluster that failed would have ended the run.
  expect(before(turbo, rootWith())).toBe(true)
  expect([
    before(turbo, rootWith('cluster'), 'staging'),
    before(turbo, rootWith('cluster.staging'), 'staging'),
  ]).toEqual([false, true])
})

test('options of another workspace are left to that, in a run over all only', () => {
  const prune = { planOptions: { prune: { type: 'boolean', help: '' } } } as const
  expect(withoutOthersOptions(['--create', '--prune', '--yes'], turbo, prune)).toEqual(['--prune', '--yes'])
  expect(withoutOthersOptions(['--create', '--creat'], turbo, {})).toEqual(['--creat'])
  expect(withoutOthersOptions(['--create'], {}, {})).toEqual(['--create'])
})

describe('npm run plan at the root, by turbo itself', () => {
  const run = async (root: string, ...words: string[]) => {
    const { code, stdout, stderr } = await runAtRoot('plan', words, { root })
    return { code, said: stdout + stderr }
  }

  it('plans what is set up, cluster before Stoat, and leaves out the rest', async () => {
    const { code, said } = await run(rootWith('cluster', 'stoat'), '--offline', '--create')
    expect(code, said).toBe(0)
    expect(said).toContain('pod is left out: there is no .env.pod')
    expect(said).not.toContain('NO ENVIRONMENT')
    const ends = ['cluster: \\d+ to create', 'stoat: \\d+ to create'].map((text) => said.search(new RegExp(text)))
    expect(ends[0]).toBeGreaterThan(0)
    expect(ends[1]).toBeGreaterThan(ends[0] as number)
  })

  it('refuses an option that no workspace knows', async () => {
    const { code, said } = await run(rootWith('cluster', 'stoat'), '--offline', '--creat')
    expect([code === 0, said]).toEqual([false, expect.stringContaining('--creat')])
  })
})
