import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runsBefore, withoutOthersOptions } from '@infra/shared/cli/root-run'
import { describe, expect, it, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import stoat from '../../../stoat/commands/index.ts'
import { clusterSettings } from '../../lab/cluster-settings.ts'
import { type CliOptions, type CliResult, project, runAtRoot, runTurbo } from '../../support/cli.ts'
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

describe.each<[string, (words: readonly string[], options: CliOptions) => Promise<CliResult>, string]>([
  ['npm run plan', (words, options) => runAtRoot('plan', words, options), ''],
  ['turbo run plan', (words, options) => runTurbo('plan', words, options), '(?:stoat|cluster):plan: '],
])('%s', (_name, start, prefix) => {
  const run = async (root: string, ...words: string[]) => {
    const { code, stdout, stderr } = await start(words, { root })
    return { code, said: stdout + stderr }
  }

  it('plans what is set up, cluster before Stoat, and leaves out the rest', async () => {
    const { code, said } = await run(rootWith('cluster', 'stoat'), '--offline', '--create')
    expect(code, said).toBe(0)
    expect(said).toMatch(/pod:? +not configured, skipped/)
    expect(said).not.toContain('NO ENVIRONMENT')
    const ends = ['cluster', 'stoat'].map((name) => said.search(new RegExp(`^${prefix}${name}: \\d+ to create`, 'm')))
    expect(ends[0]).toBeGreaterThanOrEqual(0)
    expect(ends[1]).toBeGreaterThan(ends[0] as number)
  })

  it('refuses an option that no workspace knows', async () => {
    const { code, said } = await run(rootWith('cluster', 'stoat'), '--offline', '--creat')
    expect([code === 0, said]).toEqual([false, expect.stringContaining('--creat')])
  })

  it('exits 2 for changes where that is asked for', async () => {
    const { code, said } = await run(rootWith('cluster'), '--offline', '--detailed-exitcode')
    expect(code, said).toBe(2)
  })
})

test('turbo run deploy asks nobody, names the flag, and passes colours on', async () => {
  const root = rootWith('stoat')
  const kubeconfig = join(root, 'kubeconfig')
  writeFileSync(kubeconfig, '')
  const { code, stdout, stderr } = await runTurbo('deploy', ['--check', '--offline'], {
    root,
    env: { FORCE_COLOR: '1' },
  })
  expect(code, stdout + stderr).toBe(0)
  expect(stdout).toContain('\u001b[32m+\u001b[39m')
})

test('the order of turbo is that of the workspaces', () => {
  const { tasks } = JSON.parse(readFileSync(join(project, 'turbo.json'), 'utf8'))
  for (const { name, dependsOn = [] } of [pod, cluster, stoat])
    for (const task of ['plan', 'deploy'])
      expect(tasks[`${name}#${task}`]?.dependsOn ?? [], `${name} ${task}`).toEqual(
        dependsOn.map((one) => `${one}#${task}`),
      )
})
