import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { untruths } from './plan-truth.ts'
import { leaks, leaksBelow, leaksOn, marksOf, recordCalls, watchProcesses } from './pod-leaks.ts'
import { lastLog } from './pod-probes.ts'
import { barePod, clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('host', 'git', 'git-ssh', 'acme')
const marks = marksOf(podSecrets)

const printed = ({ stdout, stderr }: CliResult) => stdout + stderr

describe.skipIf(skip)(title('secrets in a first deploy, over IPv6 alone', skip), () => {
  let pod: Pod
  beforeAll(async () => {
    pod = await barePod({ only6: true })
  })
  afterAll(() => pod?.close())

  test('are in no argument, environment, output, plan, log or readable file', async () => {
    const { cli, host, root } = pod
    const watch = watchProcesses()
    const plan = join(root, 'reviewed')
    const runs = [await cli('plan', '--verbose', '--out', plan), await cli('deploy', '--verbose', '--plan', plan)]
    const deployed = await lastLog(pod)
    runs.push(
      await cli('deploy', '--check', '--json', '--verbose'),
      await cli('verify', '--verbose'),
      await cli('verify', '--json', '--junit', join(root, 'junit.xml')),
    )
    const seen = watch.stop().join('\n')
    expect(
      runs.map(({ code }) => code),
      runs.map(printed).join('\n'),
    ).toEqual([0, 0, 0, 0, 0])
    // The same first deploy: what was announced is what was made.
    expect(untruths(deployed)).toEqual([])
    // It did look, on both sides and into environments.
    expect(seen).toMatch(/apt-get .*install/)
    expect(seen).toMatch(/DEBIAN_FRONTEND=noninteractive/)
    expect(leaks(seen, marks)).toEqual([])
    expect(leaks(runs.map(printed).join('\n'), marks)).toEqual([])
    expect(leaks(await readFile(plan, 'utf8'), marks)).toEqual([])
    expect(leaks(await readFile(join(root, 'junit.xml'), 'utf8'), marks)).toEqual([])
    expect(await leaksBelow(join(root, '.infra'), marks)).toEqual([])
    expect(await leaksOn(host, marks)).toEqual([])
  })

  test('with no IPv4 on the host: its packages came by a proxy, and nothing is left to change', async () => {
    const { host, apt, cli } = pod
    expect((await host.exec('ip -4 -o addr show scope global; ip -4 route')).stdout).toBe('')
    expect(apt?.asked.join('\n')).toMatch(/\/dists\//)
    expect(await cli('plan')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^pod: nothing to change/) })
    expect((await cli('verify', '--json', '--only', 'synapse.addresses')).stdout).toContain(host.address)
  })

  test('would be found if they were there', async () => {
    const password = podSecrets.VALENCE_DB_PASSWORD ?? ''
    const encoded = Buffer.from(`x${password}y`).toString('base64')
    await pod.host.exec(
      `mkdir -p /srv/open; cat >/srv/open/file <<'END'\n${encoded}\nEND\nlogger <<'END'\n${password}\nEND`,
    )
    const found = await leaksOn(pod.host, marks)
    expect(found).toContain('/srv/open/file')
    expect(found.join('\n')).toMatch(/^MESSAGE=/m)
  })
})

describe.skipIf(skip)(title('secrets in later deploys', skip), () => {
  let pod: Pod
  beforeAll(async () => {
    pod = await clonePod(await convergedPod(), {}, { ssh: true })
    await recordCalls(pod.host, ['psql', 'git', 'ssh', 'ssh-add', 'ssh-agent', 'runuser', 'setsid', 'timeout'])
  })
  afterAll(() => pod?.close())

  /** Deploys again, and looks everywhere for these secrets. */
  async function deployAndLook(secrets: Record<string, string>, env: Record<string, string> = {}): Promise<string> {
    const own = marksOf({ ...podSecrets, ...secrets })
    const watch = watchProcesses()
    const run = await pod.cliWith({ env }, 'deploy', '--yes', '--verbose')
    // What was given to our own process in its environment is there: it was the user who put it.
    const seen = watch.stop().filter((text) => Object.keys(env).every((name) => !text.includes(`${name}=`)))
    expect(run.code, printed(run)).toBe(0)
    expect(leaks(seen.join('\n'), own)).toEqual([])
    expect(leaks(printed(run), own)).toEqual([])
    expect(await leaksBelow(join(pod.root, '.infra'), own)).toEqual([])
    expect(await leaksOn(pod.host, own)).toEqual([])
    return run.stdout
  }
  const recorded = async (name: string) => (await pod.host.exec(`cat /recorded/${name}.*`)).stdout

  test('a password that changes is in no log of PostgreSQL, though it logs every statement', async () => {
    const { host } = pod
    const log = 'cat /var/log/postgresql/*.log'
    await host.exec(
      `cd /; runuser -u postgres -- psql -qc "ALTER SYSTEM SET log_statement = 'all'" -c 'SELECT pg_reload_conf()'`,
    )
    const password = `It's "4" \\n %27; $(id) \`x\` new-password`
    const out = await deployAndLook({ VALENCE_DB_PASSWORD: password }, { VALENCE_DB_PASSWORD: password })
    expect(out).toMatch(/~ {2}password of role valence/)
    expect((await host.exec(log)).stdout).toMatch(/statement: ALTER ROLE "valence" PASSWORD 'SCRAM-SHA-256\$/)
    expect(await recorded('psql')).toContain('ON_ERROR_STOP=1')
    const login = await pod.cliWith({ env: { VALENCE_DB_PASSWORD: password } }, 'verify', '--only', 'postgresql.login')
    expect(login.code).toBe(0)
    // The old one again, as the environment file has it.
    await deployAndLook({})
  })

  test('the token of a private repository', async () => {
    const { host, git } = pod
    await host.exec('rm -rf /opt/valence/repo')
    await pod.configure({ VALENCE_REPO_URL: git.privateUrl, VALENCE_REPO_TOKEN: git.token })
    const out = await deployAndLook({ VALENCE_REPO_TOKEN: git.token })
    expect(out).toMatch(/\+\? \/opt\/valence\/repo at v1\.0\.1/)
    expect(git.requests().some(({ url, authorized }) => url.startsWith('/private/') && authorized)).toBe(true)
    expect((await host.exec('cat /opt/valence/repo/.git/config')).stdout).toContain(`url = ${git.privateUrl}\n`)
    expect(await recorded('git')).toContain('fetch --progress')
  })

  test('the deploy key of a private repository', async () => {
    const { host, git } = pod
    if (!git.ssh) throw new Error('there is no git server by ssh')
    await host.exec('rm -rf /opt/valence/repo')
    await pod.configure({ VALENCE_REPO_URL: git.ssh.url, VALENCE_REPO_DEPLOY_KEY_FILE: git.ssh.keyFile })
    const out = await deployAndLook({ VALENCE_REPO_DEPLOY_KEY_FILE: await readFile(git.ssh.keyFile, 'utf8') })
    expect(out).toMatch(/\+ {2}\/opt\/valence\/repo at v1\.0\.1/)
    expect(await recorded('ssh-add')).toMatch(/ssh-add -q -/)
    expect((await host.exec('cat /opt/valence/repo/.git/config')).stdout).toContain(`url = ${git.ssh.url}\n`)
    expect((await host.exec('pgrep -x ssh-agent')).code).toBe(1)
    expect((await pod.cli('deploy', '--yes')).stdout).toMatch(/^pod: nothing to change/)
  })
})
