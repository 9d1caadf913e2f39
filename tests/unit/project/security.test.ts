import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { known } from '../../lab/trace.ts'
import { schemas } from '../env/tables.ts'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

test('every secret variable is in the table of secrets', () => {
  const variables = schemas.flatMap((schema) => variablesOf(schema))
  const secrets = variables.filter(({ meta }) => meta.secret).map(({ name }) => name)
  expect(secrets.length).toBeGreaterThan(15)
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  expect(secrets.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)))).toEqual([])
})

test('the policy of who deploys allows every operation that the steps name', () => {
  const policy = JSON.parse(page.match(/```json\n([\s\S]*?)```/)?.[1] ?? '')
  const allowed: string[] = policy.Statement.flatMap(({ Action }: { Action: string[] }) => Action)
  const named = new Set(['facts', 'steps'].flatMap(operations))
  expect(named.size).toBeGreaterThan(30)
  const actions = new Set(allowed.map((action) => action.replace(/^\w+:/, '').toLowerCase()))
  expect([...named].filter((operation) => !actions.has(operation.replaceAll('-', '')))).toEqual([])
})

/** The rows of the table below a heading, cell by cell. */
function tableOf(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(1).map((row) =>
    row
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

test('every attack has what stops it, and a test of that name in that file tries it', () => {
  const rows = tableOf('Attacks, and the tests that try them')
  expect(rows.length).toBeGreaterThan(25)
  const missing = rows.flatMap(([attack, stops, tried = '']) => {
    const tests = tried.split('<br>').map((one) => one.match(/^`([\w/.-]+)`: (.+)$/))
    const absent = tests.filter((found) => !found || !declares(found[1] ?? '', found[2] ?? ''))
    return attack && stops && tests.length > 0 && absent.length === 0 ? [] : [`${attack}: ${tried}`]
  })
  expect(missing).toEqual([])
})

/** Whether a file of tests has one of this name, or a group of them, or a kind or damage of the contract. */
function declares(file: string, name: string): boolean {
  const path = join(root, 'tests', file)
  if (!existsSync(path)) return false
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  // Of `test.each(table)('name'` the name comes after a parenthesis or a bracket.
  const before = String.raw`\b(?:test|it|describe)\(|\)\(|\b(?:kind|name): `
  const declared = new RegExp(`(?:${before})\\s*(?<quote>['"\`])${escaped}\\k<quote>`)
  return declared.test(readFileSync(path, 'utf8'))
}

test('what the trace of root lets pass is told, with why it is safe', () => {
  expect(tableOf('Where root meets names of other accounts')).toEqual(known.map(({ call, why }) => [call, why]))
})

/** What AWS is asked for by the files of a folder, as the CLI writes it: `create-table`. */
function operations(kind: string): string[] {
  const folder = join(root, 'shared/src', kind, 'aws')
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const verbs = 'describe|create|list|get|put|update|delete|tag|untag|set|attach|detach|batch'
  const calls = new RegExp(`['\`](?:aws \\w+ )?((?:${verbs})-[a-z-]+)\\b`, 'g')
  const found = texts.flatMap((text) => [...text.matchAll(calls)].map(([, operation]) => operation ?? ''))
  // A login is made of a token of ECR; the rest is what docs say of others.
  return found.filter((operation) => operation !== 'get-login-password')
}
