import { helpText } from '@infra/shared/cli/help'
import { refuseSwallowedFlags } from '@infra/shared/cli/npm-flags'
import { parseCall, type WorkspaceSyntax } from '@infra/shared/cli/options'
import { describe, expect, test } from 'vitest'
import { cli, place, startCli } from '../../support/fixture-workspace.ts'

const own: WorkspaceSyntax = {
  commands: {
    logs: {
      about: 'the last lines of a service',
      args: ['SERVICE', '[PATTERN]'],
      options: { follow: { type: 'boolean', short: 'f', help: 'go on' } },
    },
    remove: {
      about: 'take it away',
      args: ['[NAME...]'],
      sharedOptions: ['yes', 'lock-timeout'],
      options: { confirm: { type: 'string', multiple: true, value: 'NAME', help: 'yes, this one' } },
    },
  },
  planOptions: { prune: { type: 'boolean', help: 'also what is no longer wanted' } },
  verifyOptions: { smoke: { type: 'boolean', help: 'also what a user does' } },
}

describe("a workspace's own commands and options", () => {
  test.each([
    ['logs', ['web'], { options: {}, workspaceOptions: {}, args: ['web'] }],
    [
      'logs',
      ['web', '-f', 'GET', '--json'],
      { options: { json: true }, workspaceOptions: { follow: true }, args: ['web', 'GET'] },
    ],
    ['remove', [], { options: {}, workspaceOptions: {}, args: [] }],
    ['remove', ['a', 'b', 'c', '-y'], { options: { yes: true }, workspaceOptions: {}, args: ['a', 'b', 'c'] }],
    ['remove', ['--confirm', 'a', '--confirm=b'], { options: {}, workspaceOptions: { confirm: ['a', 'b'] }, args: [] }],
    [
      'deploy',
      ['--prune', '-t', 'a,b'],
      { options: { tags: ['a', 'b'] }, workspaceOptions: { prune: true }, args: [] },
    ],
    ['verify', ['--smoke'], { options: {}, workspaceOptions: { smoke: true }, args: [] }],
  ])('%s %j', (command, argv, call) => {
    expect(parseCall(command, argv, own)).toEqual(call)
  })

  test.each([
    ['logs', [], 'logs needs SERVICE'],
    ['logs', ['a', 'b', 'c'], 'logs takes no argument "c"'],
    ['logs', ['a', '--yes'], 'logs has no option --yes'],
    ['logs', ['a', '--folow'], 'unknown option --folow'],
    ['logs', ['a', '--prune'], 'logs has no option --prune'],
    ['deploy', ['--follow'], 'deploy has no option --follow'],
    ['deploy', ['--smoke'], 'deploy has no option --smoke'],
    ['deploy', ['web'], 'deploy takes no argument "web"'],
    ['remove', ['--confirm'], 'option --confirm needs a value'],
  ])('%s %j is refused', (command, argv, message) => {
    expect(() => parseCall(command, argv, own)).toThrow(message)
  })

  test('the help of a command tells its words and its options', () => {
    const run = async () => 0
    const commands = Object.fromEntries(
      Object.entries(own.commands ?? {}).map(([name, how]) => [name, { ...how, run }]),
    )
    const entry = { name: 'demo', about: '', folder: '', commands, load: () => Promise.reject(new Error('not loaded')) }
    const help = helpText('remove', entry)
    expect(help).toContain('demo remove: take it away')
    expect(help).toContain('-- [NAME...] [options]')
    expect(help).toMatch(/--confirm NAME +yes, this one/)
    expect(help).toMatch(/--lock-timeout SECONDS/)
    expect(help).not.toContain('--follow')
  })

  test('npm must not keep one of them for itself', () => {
    const env = { npm_lifecycle_event: 'deploy', npm_config_prune: 'true' }
    expect(() => refuseSwallowedFlags(env, { command: 'deploy' })).not.toThrow()
    expect(() => refuseSwallowedFlags(env, { command: 'deploy', syntax: own })).toThrow(/npm consumed --prune,/)
  })

  test('run through the real command line, with the environment loaded', async () => {
    const here = place()
    expect(await cli(here, 'notes', 'motd', '--loud')).toMatchObject({ code: 0, stdout: `MOTD in ${here.folder}\n` })
    expect(await cli(here, 'notes')).toMatchObject({ code: 64, stderr: expect.stringContaining('notes needs NAME') })
    expect((await cli(here, 'note')).stderr).toContain('Did you mean notes?')
    expect((await cli(here, '--help')).stdout).toMatch(/npm run notes +-w fixture +says where a note is/)
    expect((await startCli(here, ['notes', 'motd', '--json']).ended).stdout).toContain('"type":"run.end"')
  })
})
