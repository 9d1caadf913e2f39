import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundled, cli, place, type Ran, sentinel, startCli } from '../../support/fixture-workspace.ts'
import { controls } from '../../support/sink.ts'

const five = ['config', 'last', 'motd', 'password', 'running']

const notes = (folder: string) => readdirSync(folder).sort()

/** The events of a run with --json. */
const events = ({ stdout }: Ran) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const logs = (root: string) =>
  readdirSync(join(root, '.infra/runs')).map((name) => readFileSync(join(root, '.infra/runs', name), 'utf8'))

describe.concurrent('the command line', () => {
  test('from nothing to converged, and again: exit codes, streams, what is written', async () => {
    const here = place()
    const plan = await cli(here, 'plan', '--detailed-exitcode')
    expect(plan).toMatchObject({ code: 2, stderr: 'fixture → here\n' })
    expect(plan.stdout).toContain('fixture: 5 to create, 0 unchanged')
    expect(plan.stdout + plan.stderr).not.toMatch(controls)

    const check = await cli(here, 'deploy', '--check', '--json', '--yes')
    expect(check).toMatchObject({ code: 0, stderr: '' })
    expect(events(check)[0]).toMatchObject({ type: 'version', format: 1 })
    expect(events(check).at(-1)).toMatchObject({ type: 'run.end', command: 'plan', made: 0 })

    const detailed = await cli(here, 'deploy', '--yes', '--detailed-exitcode')
    expect(detailed).toMatchObject({ code: 64, stderr: expect.stringContaining('Add --check.') })

    const unasked = await cli(here, 'deploy')
    expect(unasked.code).toBe(64)
    expect(unasked.stderr).toMatch(/there is no terminal to confirm on.*\n.*--yes/)
    expect(notes(here.folder)).toEqual([])

    const deploy = await cli(here, 'deploy', '--yes', '--json')
    expect(deploy).toMatchObject({ code: 0, stderr: '' })
    const told = events(deploy)
    expect(told.filter(({ type }) => type === 'change.end')).toHaveLength(5)
    expect(told.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0, made: 5 })
    expect(notes(here.folder)).toEqual(five)
    expect(readFileSync(join(here.folder, 'password'), 'utf8')).toBe(`password=${sentinel}\n`)

    const again = await cli(here, 'deploy', '--yes', '--json')
    expect(again.code).toBe(0)
    expect(events(again).at(-1)).toMatchObject({ made: 0 })
    expect(events(again).filter(({ type }) => type === 'ask.start')).toHaveLength(1)
    expect(events(again).some(({ type }) => /^lock|^change|^check/.test(String(type)))).toBe(false)

    const said = [plan, check, unasked, deploy, again].map(({ stdout, stderr }) => stdout + stderr)
    expect([...said, ...logs(here.root)].join('\n')).not.toContain(sentinel)
    expect(logs(here.root)).toHaveLength(6)
    const [log = ''] = readdirSync(join(here.root, '.infra/runs'))
    expect(statSync(join(here.root, '.infra/runs', log)).mode & 0o777).toBe(0o600)
  })

  test('without an environment a plan is a first look, loud and blank; a deployment is refused', async () => {
    const here = place({ configured: false })
    const [plan, deploy] = await Promise.all([cli(here, 'plan'), cli(here, 'deploy', '--yes')])
    expect(plan.code).toBe(0)
    expect(plan.stderr).toMatch(/warning: NO ENVIRONMENT.*npm run validate -w fixture -- --generate/)
    expect(plan.stdout).toContain('5 to create')
    expect(deploy.code).toBe(1)
    expect(deploy.stderr).toMatch(/2 problems[\s\S]*FIXTURE_FOLDER[\s\S]*FIXTURE_PASSWORD/)
    expect(notes(here.folder)).toEqual([])
  })

  test('a saved plan is deployed as it was reviewed, without a question, and refused once facts have moved', async () => {
    const [at, file] = [place(), 'reviewed.plan']
    // As npm says where the user stands: it starts us elsewhere.
    const here = { ...at, env: { ...at.env, INIT_CWD: at.root } }
    expect(await cli(here, 'plan', '--out', file, '--tags', 'files')).toMatchObject({ code: 0 })
    expect(statSync(join(here.root, file)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(here.root, file), 'utf8')).not.toContain(sentinel)

    writeFileSync(join(here.folder, 'motd'), 'somebody was here\n')
    const [stale, looked] = await Promise.all([
      cli(here, 'deploy', '--plan', file),
      cli(here, 'deploy', '--check', '--plan', file),
    ])
    expect([stale.code, looked.code]).toEqual([6, 6])
    expect(stale.stderr).toMatch(/is stale[\s\S]*note motd/)
    expect(readFileSync(join(here.folder, 'motd'), 'utf8')).toBe('somebody was here\n')

    rmSync(join(here.folder, 'motd'))
    expect(await cli(here, 'deploy', '--plan', file, '--skip-verification')).toMatchObject({ code: 0 })
    expect(notes(here.folder)).toEqual(['motd', 'password'])
  })

  test("a saved plan keeps the workspace's own options that it was made with, and takes no others", async () => {
    const here = place()
    const file = join(here.root, 'reviewed.plan')
    expect(await cli(here, 'plan', '--out', file, '--extra', '--tags', 'files')).toMatchObject({ code: 0 })
    const again = await cli(here, 'deploy', '--plan', file, '--extra')
    expect(again).toMatchObject({ code: 64, stderr: expect.stringContaining('--plan cannot be combined with --extra') })
    expect(notes(here.folder)).toEqual([])
    expect(await cli(here, 'deploy', '--plan', file, '--skip-verification')).toMatchObject({ code: 0 })
    expect(notes(here.folder)).toEqual(['extra', 'motd', 'password'])
  })

  test('a change that fails: exit 1, what came before stays, no lock stays, and a rerun goes on', async () => {
    const here = place({ trouble: 'fail' })
    const failed = await startCli(here, ['deploy', '--yes', '--json'], 'fixture/cli.ts').ended
    expect(failed.code).toBe(1)
    expect(events(failed).find(({ type }) => type === 'failure')).toMatchObject({
      message: 'service on here: could not create service started (exit code 3)',
      detail: [
        expect.stringContaining('exit 3'),
        'it is broken',
        expect.stringMatching(/scripts\/20-service\.ts:\d+$/),
      ],
    })
    expect(events(failed).at(-1)).toMatchObject({ type: 'run.end', exitCode: 1, made: 3 })
    expect(notes(here.folder)).toEqual(['config', 'motd', 'password'])
    here.env.FIXTURE_TROUBLE = 'none'
    expect(await cli(here, 'deploy', '--yes')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 changes made'),
    })
    expect(notes(here.folder)).toEqual(five)
  })

  test('verify: exit 3 and JUnit; only the checks of the chosen scripts', async () => {
    const here = place({ trouble: 'unhealthy' })
    const junit = join(here.root, 'junit.xml')
    const deploy = await cli(here, 'deploy', '--yes', '-t', 'files')
    expect(deploy.code).toBe(3)
    expect(deploy.stdout).toMatch(
      /✓ note motd is there[\s\S]*✗ expected: all is well outside; found: it rains {2}\[.*\]\n {6}look outside/,
    )
    expect(deploy.stdout).not.toContain('note config')
    const [all, some] = await Promise.all([
      cli(here, 'verify', '--junit', junit),
      cli(here, 'verify', '--only', 'notes', '--json'),
    ])
    expect([all.code, some.code]).toEqual([3, 0])
    expect(all.stdout).toContain('fixture: 1 passed, 2 failed')
    expect(readFileSync(junit, 'utf8')).toContain('failures="2"')
    expect(events(some).filter(({ type }) => type === 'check')).toHaveLength(1)
  })

  test('unreachable is 4, a lock that is held 5, a refusal 1', async () => {
    const [asleep, held, refused] = [place({ trouble: 'unreachable' }), place(), place({ trouble: 'refuse' })]
    mkdirSync(join(held.folder, '.lock'))
    writeFileSync(join(held.folder, '.lock/holder'), 'ana@laptop')
    const ran = await Promise.all([asleep, held, refused].map((here) => cli(here, 'deploy', '--yes')))
    expect(ran.map(({ code }) => code)).toEqual([4, 5, 1])
    expect(ran.map(({ stderr }) => stderr.split('\n').find((line) => line.startsWith('error:')))).toEqual([
      'error: here does not answer',
      'error: another run holds the lock: ana@laptop',
      'error: service: the service must not be',
    ])
    expect([asleep, held, refused].flatMap(({ folder }) => notes(folder))).toEqual(['.lock'])
    // Who holds it is told before anybody is asked, and the flag that there is.
    expect(await cli(held, 'unlock')).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/held by ana@laptop\?\n {2}Pass --yes/),
    })
    expect(await cli(held, 'unlock', '--yes')).toMatchObject({ code: 0, stderr: expect.stringContaining('ana@laptop') })
    expect(existsSync(join(held.folder, '.lock'))).toBe(false)
    expect(await cli(held, 'unlock')).toMatchObject({ code: 0, stderr: expect.stringContaining('there was no lock') })
  })

  test('one cause is one message, with what to do', async () => {
    const [folder, nowhere] = [place({ configured: false }), place()]
    mkdirSync(join(folder.root, '.env.fixture'))
    nowhere.env.INFRA_ROOT = '/nowhere'
    const said = await Promise.all([
      cli(folder, 'plan'),
      cli(place(), 'plan', '--env', 'nosuch'),
      cli(place(), 'plan', '--env', '../x'),
      cli(place(), 'plan', '--tagz', 'db'),
      cli(place(), 'plan', '--out', '/nowhere/a.plan'),
      cli(nowhere, 'plan'),
    ])
    expect(
      said.map(({ code, stdout, stderr }) => [
        code,
        stdout,
        stderr.split('\n').filter((line) => /^(error:| {2}\S)/.test(line)),
      ]),
    ).toEqual([
      [
        1,
        '',
        [
          'error: the environment of fixture has 1 problem',
          expect.stringContaining('cannot be read (EISDIR)'),
          expect.any(String),
        ],
      ],
      [
        1,
        '',
        [
          expect.stringMatching(/^error: --env \S+: there is no file \.env\.fixture\.\S+$/),
          expect.stringMatching(/^ {2}npm run validate -w fixture -- --env \S+ --generate creates it$/),
        ],
      ],
      [64, '', ['error: --env ../x is not an environment name', expect.stringContaining('Letters, digits')]],
      [64, '', ['error: unknown option --tagz', '  Did you mean --tags?']],
      [1, '', [expect.stringMatching(/^error: cannot save to \/nowhere/), expect.any(String)]],
      [64, '', ['error: INFRA_ROOT=/nowhere is not a folder', expect.any(String)]],
    ])
  })

  test('where CI runs, sample values have to be asked for', async () => {
    const here = place({ configured: false })
    here.env.CI = 'true'
    const [lost, looked, checked] = await Promise.all([
      cli(here, 'plan'),
      cli(here, 'plan', '--offline'),
      cli(here, 'deploy', '--check', '--offline'),
    ])
    expect([lost.code, looked.code, checked.code]).toEqual([1, 0, 0])
    expect(lost.stderr).toContain('--offline')
    expect(lost.stderr).toContain('Give the job its variables and secrets (docs/ci.md)')
    expect((await cli(here, 'deploy', '--offline', '--yes')).code).toBe(64)
  })

  test("GitHub's runner is told what to hide, in the line that it hides, and what failed", async () => {
    const here = place({ trouble: 'unreachable' })
    here.env.GITHUB_ACTIONS = 'true'
    const { stdout, stderr } = await cli(here, 'plan')
    const lines = stderr.split('\n')
    expect(lines.filter((line) => line.includes(sentinel))).toEqual([`::add-mask::${sentinel}`])
    expect(stdout).not.toContain(sentinel)
    expect(lines).toContain('::error title=fixture::here does not answer%0Awake it')
  })

  test('--version names it, and Node', async () => {
    expect((await startCli(place(), ['--version'], 'fixture/cli.ts').ended).stdout).toMatch(
      /^infra \d+\.\d+\.\d+, Node v/,
    )
  })

  test('a script runs alone, and so do its checks', async () => {
    const here = place()
    const ran = await startCli(here, ['--check'], 'fixture/scripts/20-service.ts').ended
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('fixture: 3 to create') })
    expect(ran.stdout).not.toContain('motd')
    expect(notes(here.folder)).toEqual([])
  })

  test('mistakes of the call are 64 and told on stderr; help is 0 and on stdout', async () => {
    const here = place({ configured: false })
    const call = (...args: string[]) => cli(here, ...args)
    const [typo, command, tag, help, overview] = await Promise.all([
      call('deploy', '--chekc'),
      call('depoly'),
      call('plan', '--tags', 'flies'),
      startCli(here, ['deploy', '--help'], 'fixture/cli.ts').ended,
      call(),
    ])
    expect([typo, command, tag].map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([64, '']))
    expect(typo.stderr).toBe('error: unknown option --chekc\n  Did you mean --check?\n')
    expect(command.stderr).toBe('error: fixture has no command "depoly"\n  Did you mean deploy?\n')
    expect(tag.stderr).toMatch(/no script is called or tagged "flies"\n {2}Did you mean files\?/)
    expect([help, overview].map(({ code, stderr }) => [code, stderr])).toEqual(Array(2).fill([0, '']))
    expect(help.stdout).toMatch(/-c, --check[\s\S]*Scripts, in order: notes, service/)
    expect(overview.stdout).toContain('npm run deploy')
  })

  test('a reader that goes away does not end a deployment', async () => {
    const here = place()
    const { spawn } = await import('node:child_process')
    const line = '"$0" "$1" deploy --yes --json | head -n 1'
    const child = spawn('sh', ['-c', line, process.execPath, bundled()], { env: here.env, stdio: 'ignore' })
    await new Promise((resolve) => child.on('close', resolve))
    expect(notes(here.folder)).toEqual(five)
  })
})
