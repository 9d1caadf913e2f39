import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reapplicable } from '@infra/shared/steps/postgres/schema-script'
import { vkbSchema } from '../../pod/valence/vkb.ts'
import { environment as env } from './environment.ts'

/** psql as the role, with this on its stdin. */
const ask = (input: string) =>
  spawnSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
    input,
    encoding: 'utf8',
    // The password is in the environment of this one process, in no argument.
    env: {
      ...process.env,
      PGHOST: env.VKB_DB_HOST || 'localhost',
      PGPORT: env.VKB_DB_PORT || '5432',
      PGDATABASE: env.VKB_DB_NAME || 'valence',
      PGUSER: env.VKB_DB_USER || 'valence',
      PGPASSWORD: env.VALENCE_DB_PASSWORD ?? '',
      PGCONNECT_TIMEOUT: '10',
    },
  })

/** Why the tests of the database cannot run; undefined when they can. One that is named must be there. */
export const databaseSkip: string | undefined = whyNot()

function whyNot(): string | undefined {
  if (!(env.VKB_DB_HOST || env.VALENCE_DB_PASSWORD)) return 'neither VKB_DB_HOST nor VALENCE_DB_PASSWORD is set'
  if (spawnSync('psql', ['--version']).error) return 'no psql (apt-get install -y postgresql-client)'
  if (env.VKB_DB_HOST) return undefined
  // The password is in the environment of everybody who deploys: it says nothing of a database on this machine.
  const { status, stderr } = ask('SELECT 1;')
  const [said = ''] = stderr.trim().split('\n')
  return status === 0
    ? undefined
    : `VKB_DB_HOST is not set, and localhost says: ${said.replace(/^psql: (error: )?/, '')}`
}

/** Why the schema cannot be applied here: its files are in a clone of the repository. */
export const schemaSkip: string | undefined =
  databaseSkip ?? (env.VKB_SCHEMA_DIR ? undefined : 'VKB_SCHEMA_DIR does not name the folder of schema.sql')

/** Runs a script of SQL as the role, to its end or its first error; gives what it says, row by row. */
export function psql(script: string): string[] {
  const { status, stdout, stderr } = ask(`SET client_min_messages = warning;\n${script}`)
  if (status !== 0) throw new Error(stderr.trim())
  return stdout.trimEnd().split('\n')
}

/** The same in a transaction that is rolled back at its end. */
export const rolledBack = (script: string): string[] => psql(`BEGIN;\n${script}\nROLLBACK;\n`)

/** The schema as a deployment applies it. */
export function schemaScript(): string {
  const files = vkbSchema.files.map((name) => readFileSync(join(env.VKB_SCHEMA_DIR ?? '', name), 'utf8'))
  return files.map(reapplicable).join('')
}
