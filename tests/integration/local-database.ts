import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reapplicable } from '@infra/shared/steps/schema-script'
import { vkbSchema } from '../../pod/vkb.ts'

const { env } = process

/** Why the tests of the database cannot run; undefined when they can. */
export const databaseSkip: string | undefined = !(env.VKB_DB_HOST || env.VALENCE_DB_PASSWORD)
  ? 'neither VKB_DB_HOST nor VALENCE_DB_PASSWORD is set'
  : spawnSync('psql', ['--version']).error
    ? 'no psql (apt-get install -y postgresql-client)'
    : undefined

/** Why the schema cannot be applied here: its files are in a clone of the repository. */
export const schemaSkip: string | undefined =
  databaseSkip ?? (env.VKB_SCHEMA_DIR ? undefined : 'VKB_SCHEMA_DIR does not name the folder of schema.sql')

/** Runs a script of SQL as the role, to its end or its first error; gives what it says, row by row. */
export function psql(script: string): string[] {
  const { status, stdout, stderr } = spawnSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
    input: `SET client_min_messages = warning;\n${script}`,
    encoding: 'utf8',
    // The password is in the environment of this one process of ours, in no argument.
    env: {
      ...env,
      PGHOST: env.VKB_DB_HOST ?? 'localhost',
      PGPORT: env.VKB_DB_PORT ?? '5432',
      PGDATABASE: env.VKB_DB_NAME ?? 'valence',
      PGUSER: env.VKB_DB_USER ?? 'valence',
      PGPASSWORD: env.VALENCE_DB_PASSWORD ?? '',
      PGCONNECT_TIMEOUT: '10',
    },
  })
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
