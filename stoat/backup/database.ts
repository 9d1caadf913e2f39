import { once } from 'node:events'
import { excerpt } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { namespace } from '@infra/shared/platform/names'
import { isKube } from '@infra/shared/targets/kubernetes/kubectl'
import type { ByteProcess } from '@infra/shared/targets/process'
import type { StoatContext } from '../context.ts'
import { inDatabase } from '../database.ts'
import { stores } from '../services.ts'
import { type Collections, DumpReader, heard } from './dump.ts'

type Kube = Pick<StoatContext, 'kube'>

/** The database of Stoat. */
export const databaseName = 'revolt'

const pod = `${stores.mongodb.name}-0`

/** What MongoDB and the api say of the database. */
export interface DatabaseState {
  /** MongoDB's version: `7.0.14`. */
  readonly version: string
  /** How far the api has migrated it; null where there is none, or another made it. */
  readonly revision: number | null
  /** How many documents there are but for what the api itself writes at its first start. */
  readonly documents: number
}

const look = `const kept = db.getCollectionNames().filter((name) => name !== 'migrations' && !name.startsWith('system.'))
const made = db.migrations.findOne({ _id: 0 })
print(JSON.stringify({
  version: db.runCommand({ buildInfo: 1 }).version,
  revision: made ? Number(made.revision) : null,
  documents: kept.reduce((sum, name) => sum + db.getCollection(name).countDocuments({}), 0),
}))`

/** Asks for it. Throws where MongoDB does not answer. */
export const databaseState = async (context: StoatContext): Promise<DatabaseState> =>
  (await inDatabase(context, look)) as DatabaseState

// Never --quiet: with it both programs end without a word of what failed. What they say besides is on stderr, and not shown.

/** Dumps a database, whose collections `reader` hears. mongodump of the pod's own image, no file on its disk. */
export async function* dumpOf(context: Kube, name: string, reader: DumpReader): AsyncGenerator<Buffer> {
  const command = sh`kubectl exec -n ${namespace} ${pod} -- mongodump --archive --db=${name}`
  const running = await start(context, command)
  running.stdin.end()
  yield* heard(running.stdout, reader)
  await assertDone(running, 'mongodump')
}

/** What is in a database, by a dump that nobody keeps. */
export async function collectionsOf(context: Kube, name: string): Promise<Collections> {
  const reader = new DumpReader()
  for await (const _ of dumpOf(context, name, reader));
  return reader.end()
}

/** Puts a dump of Stoat's database into a database of this name, which must not be there. */
export async function loadDump(context: Kube, name: string, source: AsyncIterable<Buffer>): Promise<void> {
  const renamed = name === databaseName ? [] : [`--nsFrom=${databaseName}.*`, `--nsTo=${name}.*`]
  const words = ['--archive', '--stopOnError', `--nsInclude=${databaseName}.*`, ...renamed]
  const running = await start(context, sh`kubectl exec -i -n ${namespace} ${pod} -- mongorestore ${words}`)
  running.stdout.resume()
  let over = false
  void running.ended.then(() => {
    over = true
  })
  for await (const chunk of source) {
    // What it says at its end tells why it takes no more.
    if (over || running.stdin.destroyed) break
    if (!running.stdin.write(chunk)) await Promise.race([once(running.stdin, 'drain').catch(() => {}), running.ended])
  }
  running.stdin.end()
  await assertDone(running, 'mongorestore')
}

/** Takes a database away, whether it is there or not. */
export async function dropDatabase(context: StoatContext, name: string): Promise<void> {
  await inDatabase(context, `db.getSiblingDB(${JSON.stringify(name)}).dropDatabase(); print("true")`)
}

function start({ kube }: Kube, command: ReturnType<typeof sh>): Promise<ByteProcess> {
  if (!isKube(kube)) throw new Failure('error', 'there is no cluster to connect to')
  return kube.stream(command)
}

async function assertDone(running: ByteProcess, program: string): Promise<void> {
  const code = await running.ended
  if (code === 0) return
  // A line may quote all of a document that it did not understand.
  const said = running
    .said()
    .trim()
    .split('\n')
    .slice(-4)
    .map((line) => excerpt(line, 300))
  const absent = /executable file not found|no such file or directory/.test(running.said())
  throw new Failure('error', absent ? `the image of MongoDB has no ${program}` : `${program} failed in ${pod}`, {
    detail: said,
    remedy: absent
      ? "STOAT_MONGODB_IMAGE must be one with MongoDB's tools, as the official ones are."
      : 'npm run status -w stoat shows whether MongoDB runs and has room; npm run logs -w stoat -- mongodb.',
  })
}
