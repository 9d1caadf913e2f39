import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { logOptions } from '@infra/shared/cli/log-options'
import { type NpmCalled, refuseSwallowedFlags } from '@infra/shared/cli/npm-flags'
import { type OptionName, optionTable } from '@infra/shared/cli/options'
import { Failure } from '@infra/shared/engine/failure'
import { describe, expect, test } from 'vitest'
import { bundled, type Place, place } from '../../support/fixture-workspace.ts'

/** `npm run deploy -w fixture …` in a workspace of its own, whose script is the real command line with a yes. */
function npmRun(here: Place, ...words: string[]): Promise<{ code: number; said: string }> {
  const workspace = join(here.root, 'fixture')
  mkdirSync(workspace, { recursive: true })
  // --yes is in the script, so that nothing but the guard stands between a lost flag and a deployment.
  const deploy = `"${process.execPath}" "${bundled()}" deploy --yes`
  writeFileSync(join(here.root, 'package.json'), JSON.stringify({ private: true, workspaces: ['fixture'] }))
  writeFileSync(
    join(workspace, 'package.json'),
    JSON.stringify({ name: 'fixture', version: '1.0.0', scripts: { deploy } }),
  )
  const env = { ...here.env, HOME: here.root, npm_config_update_notifier: 'false' }
  return new Promise((resolve) => {
    execFile('npm', ['run', 'deploy', '-w', 'fixture', ...words], { cwd: here.root, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
    )
  })
}

describe.concurrent('npm run without the --', () => {
  test.each([
    ['--check'],
    ['--dry-run'],
    ['--detailed-exitcode'],
    ['--tags', 'files'],
    ['--plan=reviewed'],
    ['-t', 'files'],
    ['--json'],
    // Alone, npm leaves no trace of -c; then there is no --yes either, and the run asks.
    ['-c', '--', '--yes'],
    ['-n'],
  ])('%s %s never deploys', async (...words) => {
    const here = place()
    const { code, said } = await npmRun(here, ...words)
    expect(code, said).toBe(64)
    expect(said).toMatch(/npm consumed -|takes no argument/)
    expect(readdirSync(here.folder)).toEqual([])
  })

  test('with it, options arrive', async () => {
    const here = place()
    const { code, said } = await npmRun(here, '--', '--check')
    expect([code, said]).toEqual([0, expect.stringContaining('5 to create')])
    expect(readdirSync(here.folder)).toEqual([])
  })
})

describe('what npm leaves in the environment', () => {
  const judge = (env: Record<string, string>, called: NpmCalled = { command: 'deploy', workspace: 'pod' }) => {
    try {
      refuseSwallowedFlags({ npm_lifecycle_event: called.command, ...env }, called)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
    return undefined
  }

  const logs = { commands: { logs: { about: '', args: ['[NAME]'], options: logOptions } } }
  const names = Object.keys(optionTable) as OptionName[]

  test.each(names)('of --%s is refused, with a value or without', (name) => {
    for (const value of ['true', 'some/value']) {
      expect(judge({ [`npm_config_${name.replaceAll('-', '_')}`]: value })).toMatchObject({
        kind: 'usage',
        message: `npm consumed --${name}, so deploy did not get it; nothing was done`,
        remedy: expect.stringContaining(`npm run deploy -w pod -- --${name}`),
      })
    }
  })

  test.each(['yes', 'offline'])('of --%s, which npm has too, is one only for a command that has it', (name) => {
    const trace = { [`npm_config_${name}`]: 'true' }
    expect(judge(trace, { command: 'verify' })).toBeUndefined()
    expect(judge(trace)?.remedy).toContain(`unset npm_config_${name}`)
  })

  test.each<[what: string, env: Record<string, string>, called: NpmCalled, call: string]>([
    [
      'a value',
      { env: 'true' },
      { command: 'plan', args: ['staging'], workspace: 'pod' },
      'plan -w pod -- --env staging',
    ],
    ['one with =', { env: 'staging', check: 'true' }, { command: 'deploy' }, 'deploy -- --check --env staging'],
    [
      'several values',
      { out: 'true', html: 'true' },
      { command: 'plan', args: ['F', 'G'] },
      'plan -- --out FILE --html FILE',
    ],
    ['one twice', { tags: 'a\n\nb' }, { command: 'plan' }, 'plan -- --tags a,b'],
    [
      'an argument of the command',
      { json: 'true' },
      { command: 'logs', args: ['synapse'], syntax: logs },
      'logs -- synapse --json',
    ],
    ['a short flag', { t: 'true' }, { command: 'deploy', args: ['vkb'], workspace: 'pod' }, 'deploy -w pod -- -t vkb'],
    [
      'one that is another of npm',
      { force: 'true' },
      { command: 'logs', args: ['bot'], syntax: logs },
      'logs -- bot -f',
    ],
    ['its number', { yes: '' }, { command: 'logs', args: ['50', 'bot'], syntax: logs }, 'logs -- [NAME] -n LINES'],
  ])('is told as it was typed: %s', (_what, env, called, call) => {
    const traces = Object.fromEntries(Object.entries(env).map(([name, value]) => [`npm_config_${name}`, value]))
    expect(judge(traces, called)?.remedy).toBe(`Put -- before the options: npm run ${call}`)
  })

  test('of a letter is one only for a command that has it', () => {
    expect(judge({ npm_config_t: 'true' }, { command: 'validate' })).toBeUndefined()
    expect(judge({ npm_config_force: 'true' })).toBeUndefined()
  })

  test('a flag that stands in the settings of a user is not a trace of the call', () => {
    const settings = join(place().root, 'npmrc')
    writeFileSync(settings, 'json = true\nyes=false\n')
    expect(judge({ npm_config_json: 'true', npm_config_userconfig: settings })).toBeUndefined()
    expect(judge({ npm_config_yes: '', npm_config_userconfig: settings })).toBeUndefined()
    expect(judge({ npm_config_yes: '' })?.message).toContain('npm consumed -n')
    expect(judge({ npm_config_check: 'true', npm_config_userconfig: settings })?.message).toContain(
      'npm consumed --check',
    )
  })

  test('nothing is refused without such a trace, when it says no, or outside of npm', () => {
    expect(judge({})).toBeUndefined()
    expect(judge({ npm_config_check: 'false', npm_config_dry_run: '' })).toBeUndefined()
    expect(() => refuseSwallowedFlags({ npm_config_check: 'true' }, { command: 'deploy' })).not.toThrow()
  })
})
