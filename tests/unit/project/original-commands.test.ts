import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnvText } from '@infra/shared/env/env-text'
import { describe, expect, test } from 'vitest'
import { outputs } from '../../../cluster/commands/output.ts'
import { tables } from '../../../cluster/scripts/10-dynamodb.ts'
import { queues } from '../../../cluster/scripts/20-sqs.ts'
import { repositories } from '../../../cluster/scripts/30-ecr.ts'
import { schemas } from '../env/tables.ts'
import { clusterCommands, podCommands } from './original-commands.ts'
import { npmCalls, parsed, root, scriptsOf, textOf } from './pages.ts'

/** The commands of an original's instructions as they stand there, in their order. */
const typedIn = (name: string) =>
  readFileSync(join(import.meta.dirname, `originals/${name}.txt`), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('## '))

const plans = ['cluster', 'stoat']
  .map((name) => readFileSync(join(root, `tests/plans/${name}-plan.txt`), 'utf8'))
  .join()
const all = [...podCommands, ...clusterCommands]
const lines = all.flatMap(({ typed, now }) => (now === 'nothing' ? [] : [now === 'verbatim' ? typed : now]))

test.each([
  ['pod', podCommands],
  ['cluster', clusterCommands],
])('every command of the original %s is in the list once, and none besides', (name, list) => {
  expect(list.map(({ typed }) => typed)).toEqual([...new Set(typedIn(name))])
})

test('the short table of the README says what the lists say', () => {
  const now = new Map(all.map((one) => [one.typed, one.now]))
  const rows = [...textOf('README.md').matchAll(/^\| `([^`]+)` \| `([^`]+)`/gm)].map(([, typed = '', line = '']) => ({
    typed,
    line,
  }))
  const known = rows.filter(({ typed }) => now.has(typed))
  expect(known.length).toBeGreaterThan(7)
  expect(known.filter(({ typed, line }) => now.get(typed) !== line)).toEqual([])
})

test('what is typed no more says what takes its place', () => {
  expect(all.filter(({ now, note }) => now === 'nothing' && !note)).toEqual([])
})

test('no new line needs Ansible, Terraform, Packer or a script of the originals', () => {
  expect(lines.filter((line) => /\b(ansible|terraform|packer|pytest|pip)\b|\.sh\b/.test(line))).toEqual([])
})

describe('each new command', () => {
  const calls = [...lines, ...all.map(({ note = '' }) => note)].flatMap(npmCalls)

  test('is one that the program has, with options that it takes', () => {
    expect(calls.length).toBeGreaterThan(40)
    for (const call of calls) {
      expect(scriptsOf(call.workspace), call.line).toHaveProperty([call.script])
      expect(() => parsed(call), call.line).not.toThrow()
    }
  })

  test('asks for outputs that there are', () => {
    const asked = calls.filter(({ script, workspace }) => script === 'output' && workspace === 'cluster')
    expect(asked.length).toBeGreaterThan(2)
    for (const { options } of asked) expect(Object.keys(outputs)).toContain(options[0])
  })
})

describe('each variable of the originals', () => {
  const known = schemas.flatMap(({ variables }) => Object.keys(variables))
  const read = (wanted: boolean) => {
    const exports = all.filter(({ typed, now }) => typed.startsWith('export ') && (now === 'verbatim') === wanted)
    return parseEnvText(exports.map(({ typed }) => typed).join('\n'), '/home/someone')
  }

  test('that stays a line of the file is known, and is read as a shell reads it', () => {
    const { assignments, broken, spaced } = read(true)
    expect([broken, spaced]).toEqual([[], []])
    expect(assignments.length).toBeGreaterThan(7)
    for (const { name, value, shell } of assignments) {
      expect(known).toContain(name)
      expect(shell).toEqual({ value })
    }
  })

  test('that a command fills is not taken for a value', () => {
    const { assignments } = read(false)
    expect(assignments.length).toBe(7)
    for (const { name, shell } of assignments) {
      expect(known).toContain(name)
      expect(shell).toMatchObject({ trouble: 'substitution' })
    }
  })
})

describe('each line for kubectl and aws', () => {
  const kinds: Readonly<Record<string, string>> = {
    ...{ deployment: 'deployment', service: 'service', job: 'job', secret: 'secret', configmap: 'config map' },
    statefulset: 'stateful set',
  }

  test('names objects that a deployment makes', () => {
    const named = lines
      .filter((line) => line.startsWith('kubectl'))
      .flatMap((line) => [...line.matchAll(/\b(deployment|statefulset|service|job|secret|configmap)[/ ]([\w-]+)/g)])
    expect(named.length).toBeGreaterThan(12)
    for (const [, kind = '', name] of named) expect(plans).toMatch(new RegExp(`\\b${kinds[kind]} ${name}\\b`))
  })

  test('selects pods of programs that a deployment makes', () => {
    const apps = lines.flatMap((line) => [...line.matchAll(/-l app=([\w-]+)/g)].map(([, app = '']) => app))
    expect(apps.length).toBeGreaterThan(5)
    for (const app of apps) expect(plans).toMatch(new RegExp(`\\b(deployment|stateful set) ${app}\\b`))
  })

  test('names tables and repositories that a deployment makes', () => {
    const named = lines.flatMap((line) => [...line.matchAll(/--(?:table|queue|repository)-name ([\w-]+)/g)])
    const made = [...tables.map(({ name }) => name), ...queues, ...repositories.map(({ name }) => name)]
    expect(named.length).toBeGreaterThan(2)
    for (const [, name] of named) expect(made).toContain(name)
  })
})
