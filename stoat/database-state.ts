import type { Question } from '@infra/shared/engine/step'
import { appAnswer } from '@infra/shared/facts/kubernetes/answers'
import { namespace } from '@infra/shared/platform/names'
import { stores } from './services.ts'

/** What MongoDB tells of itself and of Stoat's database. */
export interface DatabaseState {
  /** What the api has migrated it to; null where the api has not made the database. */
  readonly revision: number | null
  /** The version of the server: `7.0.14`. */
  readonly server: string
  /** The version whose format the data has (featureCompatibilityVersion): `7.0`. */
  readonly compatibility: string
  /** Whether `audit_logs` has the indexes that the api makes along with it. */
  readonly auditLogs: boolean
}

/** How large things are, in bytes. */
export interface DatabaseSizes {
  /** The database on its volume, indexes too. */
  readonly database: number
  /** The files that were uploaded, by what the database says of them: whichever store has them. */
  readonly files: { readonly count: number; readonly bytes: number }
}

/** `absent`: MongoDB has no pod. `unread`: it has one that does not tell, and why. */
export type Answered<T> = T | 'absent' | { readonly unread: string }

// mongosh gives numbers of 64 bits as objects.
const state = `const made = db.migrations.findOne({ _id: 0 });
const audited = db.getCollectionNames().includes('audit_logs');
print(JSON.stringify({
  revision: made ? Number(made.revision) : null,
  server: db.runCommand({ buildInfo: 1 }).version,
  compatibility: db.adminCommand({ getParameter: 1, featureCompatibilityVersion: 1 }).featureCompatibilityVersion.version,
  auditLogs: audited && db.runCommand({ listIndexes: 'audit_logs' }).cursor.firstBatch.some(({ name }) => name === 'audit_log_filters'),
}))`

const sizes = `const stats = db.runCommand({ dbStats: 1 });
const sums = db.runCommand({ aggregate: 'attachment_hashes', cursor: {},
  pipeline: [{ $group: { _id: null, count: { $sum: 1 }, bytes: { $sum: '$size' } } }] }).cursor.firstBatch[0];
print(JSON.stringify({
  database: Number(stats.storageSize) + Number(stats.indexSize),
  files: { count: Number(sums?.count ?? 0), bytes: Number(sums?.bytes ?? 0) },
}))`

/**
 * What MongoDB and the database are, whoever made the pod of MongoDB. It never throws for a MongoDB that is not well: whether
 * that matters, steps decide.
 */
export const databaseState = (): Question<Answered<DatabaseState>> => inMongosh(state)

/** How large they are: not for plans, which facts that change by themselves would make out of date. */
export const databaseSizes = (): Question<Answered<DatabaseSizes>> => inMongosh(sizes)

function inMongosh<T>(script: string): Question<Answered<T>> {
  const { command, parse } = appAnswer(namespace, stores.mongodb.name, [
    'mongosh',
    '--quiet',
    'revolt',
    '--eval',
    script,
  ])
  return {
    command,
    parse(output) {
      const answer = parse(output)
      if (answer === 'absent') return answer
      return answer.ok ? (JSON.parse(answer.text) as T) : { unread: answer.text }
    },
  }
}

/** What was told, where something was. */
export const told = <T extends object>(answer: Answered<T>): T | undefined =>
  answer === 'absent' || 'unread' in answer ? undefined : answer
