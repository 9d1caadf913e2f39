import {
  type CommandName,
  type OptionName,
  optionsOf,
  optionTable,
  parseCall,
  parseOptions,
  type WorkspaceSyntax,
} from '@infra/shared/cli/options'
import { rootSyntax } from '@infra/shared/cli/root/main'
import { Failure } from '@infra/shared/engine/failure'
import { describe, expect, test } from 'vitest'
import pod from '../../../pod/commands/index.ts'
import provision from '../../../pod/provision/commands.ts'

const commands: CommandName[] = ['validate', 'plan', 'deploy', 'verify', 'unlock']

const every = commands.flatMap((command) => optionsOf(command).map(([name, spec]) => ({ command, name, spec })))

/** The failure of a call that must be refused. */
function refused(command: CommandName, ...argv: string[]): Failure {
  try {
    parseOptions(command, argv)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error(`${command} ${argv.join(' ')} was taken`)
}

test.each(['-json', '--json'])('%s is one option, as Terraform has it', (word) => {
  expect(parseOptions('plan', [word])).toEqual({ json: true })
})

describe('every option', () => {
  test.each(every)('$command --$name is parsed, long and short', ({ command, name, spec }) => {
    const list = spec.multiple === true
    // A name of an environment is a part of a file's name.
    const word = name === 'env' ? 'staging-2' : 'a,b'
    const value = spec.type === 'boolean' ? true : list ? ['a', 'b'] : word
    const words = spec.type === 'boolean' ? [] : [word]
    expect(parseOptions(command, [`--${name}`, ...words])).toEqual({ [name]: value })
    if (spec.type === 'string') expect(parseOptions(command, [`--${name}=${word}`])).toEqual({ [name]: value })
    if (spec.short) expect(parseOptions(command, [`-${spec.short}`, ...words])).toEqual({ [name]: value })
  })

  test.each(every.filter(({ spec }) => spec.type === 'string'))(
    '$command --$name needs a value',
    ({ command, name }) => {
      for (const argv of [
        [`--${name}`],
        [`--${name}=`],
        [`--${name}`, ''],
        [`--${name}`, '--json'],
        [`--${name}`, '-v'],
      ])
        expect(refused(command, ...argv)).toMatchObject({ kind: 'usage', message: `option --${name} needs a value` })
    },
  )

  test.each(every.filter(({ spec }) => spec.type === 'boolean'))('$command --$name takes none', ({ command, name }) => {
    for (const argv of [[`--${name}=yes`], [`--${name}=`], [`--${name}=false`]])
      expect(refused(command, ...argv).message).toBe(`option --${name} takes no value`)
    expect(refused(command, `--${name}`, 'false').message).toContain('takes no argument "false"')
  })

  test.each(
    (Object.keys(optionTable) as OptionName[]).flatMap((name) =>
      commands
        .filter((command) => !(optionTable[name].of as readonly string[]).includes(command))
        .map((command) => ({ name, command })),
    ),
  )('$command has no --$name, and says who has', ({ name, command }) => {
    expect(refused(command, `--${name}`)).toMatchObject({
      kind: 'usage',
      message: `${command} has no option --${name}`,
      remedy: `It belongs to: ${optionTable[name].of.join(', ')}.`,
    })
  })
})

describe('unknown ones are refused with a suggestion', () => {
  test.each([
    ['--chekc', '--check'],
    ['--chek', '--check'],
    ['--dryrun', '--dry-run'],
    ['--dry_run', '--dry-run'],
    ['--tag', '--tags'],
    ['--tgas', '--tags'],
    ['--skip-tag', '--skip-tags'],
    ['--verbos', '--verbose'],
    ['--skip-verify', undefined],
    ['--frobnicate', undefined],
    ['-x', undefined],
    ['-C', undefined],
  ])('%s', (word, near) => {
    const { kind, message, remedy } = refused('deploy', word)
    expect(kind).toBe('usage')
    expect(message).toBe(`unknown option ${word}`)
    expect(remedy).toBe(near ? `Did you mean ${near}?` : 'See: npm run deploy -- --help')
  })

  test('also where it is followed by a value', () => {
    const { message, remedy } = refused('deploy', '--tgas', 'db')
    expect({ message, remedy }).toEqual({ message: 'unknown option --tgas', remedy: 'Did you mean --tags?' })
  })

  test('no negation of a flag is taken for the flag', () => {
    expect(refused('deploy', '--no-check').message).toBe('unknown option --no-check')
    expect(refused('deploy', '--check=false').message).toContain('takes no value')
  })
})

test.each([['db'], ['--', 'db'], ['--check', 'db'], ['-y', '.']])('an argument is refused: %s %s', (...argv) => {
  expect(refused('deploy', ...argv)).toMatchObject({
    kind: 'usage',
    message: expect.stringContaining('takes no argument'),
  })
})

test('lists are cut at commas and added up', () => {
  expect(parseOptions('deploy', ['--tags', 'a,b', '-t', 'c', '--skip-tags=d,,e'])).toEqual({
    tags: ['a', 'b', 'c'],
    'skip-tags': ['d', 'e'],
  })
  expect(refused('deploy', '--tags', ',').message).toBe('option --tags needs a value')
})

test('short ones can be written together', () => {
  expect(parseOptions('deploy', ['-cv'])).toEqual({ check: true, verbose: true })
  expect(parseOptions('deploy', ['-vtdb'])).toEqual({ verbose: true, tags: ['db'] })
  expect(refused('deploy', '-cx').message).toBe('unknown option -x')
})

test('a value that begins with a dash is written with =', () => {
  expect(parseOptions('plan', ['--out=-odd-'])).toEqual({ out: '-odd-' })
})

describe('what is told to type', () => {
  const remedyOf = (command: string, argv: readonly string[], syntax: WorkspaceSyntax): string | undefined => {
    try {
      parseCall(command, argv, syntax)
    } catch (error) {
      return error instanceof Failure ? error.remedy : undefined
    }
    return undefined
  }

  test.each<[command: string, argv: string[], syntax: WorkspaceSyntax, remedy: string]>([
    ['show', [], rootSyntax([pod]), 'npm run show -- FILE'],
    ['logs', [], pod, 'npm run logs -w pod -- SERVICE'],
    ['restore', [], pod, 'npm run restore -w pod -- FILE'],
    ['status', ['foo'], pod, 'See: npm run status -w pod -- --help'],
    ['deploy', ['db'], pod, 'See: npm run deploy -w pod -- --help'],
    ['history', ['-n', '3'], pod, 'See: npm run history -w pod -- --help'],
    ['history', ['-n', '3'], rootSyntax([pod]), 'See: npm run history -- --help'],
    ['plan', ['--nonesuch'], provision, 'See: npm run provision -w pod -- --help'],
  ])('%s %j', (command, argv, syntax, remedy) => {
    expect(remedyOf(command, argv, syntax)).toBe(remedy)
  })
})
