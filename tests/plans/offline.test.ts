import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { launcher } from '../support/cli.ts'
import { bare } from '../support/fixture-workspace.ts'
import { steady } from '../support/steady.ts'

const root = mkdtempSync(join(tmpdir(), 'infra-plans-'))
const project = join(import.meta.dirname, '../..')
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Words that take the network away from what they start, where this machine allows that. */
const offline = ((): readonly string[] => {
  const words = ['unshare', '--map-root-user', '--net']
  try {
    execFileSync('unshare', [...words.slice(1), 'true'], { stdio: 'ignore' })
    return words
  } catch {
    return []
  }
})()

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a workspace's command line as a newcomer does: no environment file, no variables, no network. */
function newcomer(workspace: string, ...args: string[]): Promise<Ran> {
  const words = [...offline, process.execPath, launcher, join(project, workspace, 'cli.ts'), ...args]
  const env = { ...bare(), INFRA_ROOT: root, HOME: root }
  return new Promise((resolve) => {
    execFile(words[0] as string, words.slice(1), { env, cwd: project }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

// To accept a change of plan or help: npx vitest run tests/plans -u, and read the difference.
describe('what a newcomer sees', () => {
  test('the plan of the pod, by plan and by deploy --check', async () => {
    const ran = await Promise.all([
      newcomer('pod', 'plan', '--diff'),
      newcomer('pod', 'deploy', '--check', '--yes', '--diff'),
    ])
    for (const { code, stdout, stderr } of ran) {
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(/^warning: NO ENVIRONMENT[^\n]*\npod → a new host\n/)
      await expect(steady(stdout)).toMatchFileSnapshot('pod-plan.txt')
    }
    expect(readdirSync(root)).toEqual(['.infra'])
  })

  test('the README shows lines of it, in their order', async () => {
    const { stdout, stderr } = await newcomer('pod', 'plan', '--offline')
    const lines = `${stderr}${stdout}`.split('\n')
    const readme = readFileSync(join(project, 'README.md'), 'utf8')
    const shown = /<!-- a true plan -->\n```\n([\s\S]*?)\n```/.exec(readme)?.[1]?.split('\n') ?? []
    expect(shown.length).toBeGreaterThan(15)
    let at = 0
    for (const line of shown.filter((text) => text !== '' && text !== '…')) {
      at = lines.indexOf(line, at) + 1
      expect(at, line).toBeGreaterThan(0)
    }
  })

  test('the plan of the cluster', async () => {
    const { code, stdout, stderr } = await newcomer('cluster', 'plan', '--no-diff')
    expect(code, stderr).toBe(0)
    await expect(steady(stdout)).toMatchFileSnapshot('cluster-plan.txt')
  })

  test('the plan of Stoat', async () => {
    const { code, stdout, stderr } = await newcomer('stoat', 'plan', '--no-diff')
    expect(code, stderr).toBe(0)
    await expect(steady(stdout)).toMatchFileSnapshot('stoat-plan.txt')
  })

  test('the help of the pod and of its deploy', async () => {
    const [overview, deploy] = await Promise.all([newcomer('pod'), newcomer('pod', 'deploy', '--help')])
    expect([overview.code, deploy.code]).toEqual([0, 0])
    await expect(overview.stdout).toMatchFileSnapshot('pod-help.txt')
    await expect(deploy.stdout).toMatchFileSnapshot('pod-deploy-help.txt')
  })
})
