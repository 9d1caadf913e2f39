import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { schemas } from '../env/documents.ts'

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
