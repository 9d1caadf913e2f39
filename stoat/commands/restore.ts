import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { findIdentity } from '@infra/shared/cli/age'
import { canAsk, confirmByName } from '@infra/shared/cli/confirm'
import { inEnvironment } from '@infra/shared/cli/in-environment'
import { told, withLock } from '@infra/shared/cli/locked'
import { usage } from '@infra/shared/cli/options'
import { fromHere } from '@infra/shared/cli/paths'
import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { collect } from '@infra/shared/engine/declaration'
import { deploy } from '@infra/shared/engine/deploy'
import { Failure } from '@infra/shared/engine/failure'
import { whileWaiting } from '@infra/shared/engine/waiting'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { describeHolder } from '@infra/shared/targets/run-identity'
import { type OpenedArchive, openArchive } from '../backup/archive.ts'
import { withBucket } from '../backup/bucket.ts'
import { databaseState } from '../backup/database.ts'
import { type Found, judgeRestore, keysToTake, sayReplaced } from '../backup/judge.ts'
import { compare, ownPlace, putBack, stopWriters, takeCanary, takeKeys } from '../backup/put-back.ts'
import { rememberBackup } from '../backup/remember.ts'
import { findCanary, judgeCanary } from '../checks/canary.ts'
import { sharedEntrance } from '../checks/entrance.ts'
import type { StoatContext } from '../context.ts'
import { beginRestore, endRestore, unfinishedRestore } from '../guards/restore.ts'
import { stoatSecret } from '../keys.ts'

/** `restore FILE`: puts a backup back, after it was found whole and of this very Stoat, and says what was compared. */
export async function runRestore(session: Session): Promise<number> {
  const { args, processEnv, options } = session
  const path = fromHere(args[0] ?? '', processEnv)
  const context = open(session, 'access', ['STOAT_DOMAIN']).context as StoatContext
  const { env } = context
  const identity = await findIdentity(session, env.STOAT_BACKUP_IDENTITY_FILE, '~/.config/age/stoat.key')
  const opened = await openArchive(session, { path, domain: env.STOAT_DOMAIN, identity })
  await assertInside(context)
  let isBegun = false
  const begin = () => {
    isBegun = true
  }
  const isOver = await withLock(session, context.kube, () => replace(session, context, opened, begin), {
    isKept: () => isBegun,
  })
  if (!isOver || options.check) return 0
  await startAgain(session, context)
  await readCanary(session, context)
  return 0
}

/** What is there is replaced, once `begin` was told; false where that was only looked at. */
async function replace(
  session: Session,
  context: StoatContext,
  opened: OpenedArchive,
  begin: () => void,
): Promise<boolean> {
  const { emit, signals, options } = session
  const info = (text: string) => emit({ type: 'message', level: 'info', text })
  const { manifest, keys } = opened
  const { found, unfinished } = await told(session, 'looking at what is there', () => look(context))
  judgeRestore(manifest, keys, found, context.env)
  const taken = keysToTake(keys, found.held)
  const replaced = sayReplaced(found)
  info(`the backup: made ${manifest.made}, ${manifest.release}, ${manifest.files.count} files`)
  if (taken.length > 0) info(`the cluster takes the keys of the archive: ${taken.join(', ')}`)
  if (unfinished !== null) info(`a restore of ${unfinished} came to no end: this one begins anew`)
  if (options.check) {
    info(replaced === undefined ? 'it would replace nothing' : `it would replace ${replaced}`)
    return false
  }
  // What an unfinished restore has put there is nobody's to miss.
  if (replaced !== undefined && unfinished === null) await agree(session, context.env.STOAT_DOMAIN, opened, replaced)
  if (signals.stopping()) throw new Failure('interrupted', 'stopped as requested; nothing was changed')
  signals.hold()
  begin()
  await beginRestore(context, basename(opened.path))
  await inParts(session, context, opened, taken.length > 0)
  return true
}

async function inParts(
  session: Session,
  context: StoatContext,
  opened: OpenedArchive,
  takesKeys: boolean,
): Promise<void> {
  const { emit } = session
  const part = <T>(say: string, work: Parameters<typeof told<T>>[2]): Promise<T> => {
    if (session.signals.stopping()) throw unfinishedNow(opened, 'interrupted')
    return told(session, say, work)
  }
  try {
    await part('stopping what writes', () => stopWriters(context))
    if (takesKeys) await part('taking the keys', () => takeKeys(context, opened.keys))
    await part('restoring', (progress) => putBack(context, opened, ownPlace(context), progress))
    const compared = await part('comparing', (progress) => compare(context, opened, ownPlace(context), progress))
    for (const text of compared) emit({ type: 'message', level: 'info', text })
    await takeCanary(context, opened)
    await rememberBackup(context, { ...opened, bytes: statSync(opened.path).size })
    await endRestore(context)
  } catch (error) {
    throw error instanceof Failure && error.kind === 'interrupted' ? error : failedRestore(opened, error)
  }
}

const again = ({ path }: OpenedArchive) =>
  `The archive is unharmed, and what is there is half of it: run the same again (npm run restore -w stoat -- ${path}). Until then Stoat stays stopped, and a deploy is refused.`

const unfinishedNow = (opened: OpenedArchive, kind: 'interrupted' | 'error'): Failure =>
  new Failure(kind, 'stopped as requested, in the middle of the restore', { remedy: again(opened) })

function failedRestore(opened: OpenedArchive, error: unknown): Failure {
  const { message } = error as Error
  const { detail = [], remedy } = error instanceof Failure ? error : {}
  return new Failure('error', `the restore failed: ${message}`, {
    detail,
    remedy: [remedy, again(opened)].filter(Boolean).join('\n'),
    cause: error,
  })
}

async function look(context: StoatContext): Promise<{ found: Found; unfinished: string | null }> {
  const { held, unfinished } = await askOf(context.kube, {
    held: secretValues(namespace, stoatSecret),
    unfinished: unfinishedRestore(),
  })
  if (held === null)
    throw new Failure('error', 'there is no Stoat in the cluster to restore into; nothing was changed', {
      remedy: 'npm run deploy -w stoat comes first; the restore then brings the keys of the archive along.',
    })
  const objects = await withBucket(context, context.env.STOAT_S3_BUCKET, async (bucket) => {
    let count = 0
    if (await bucket.exists()) for await (const _ of bucket.list()) count += 1
    return count
  })
  return { found: { database: await databaseState(context), objects, held }, unfinished }
}

async function agree(
  { workspaceOptions: own, options, processEnv }: Session,
  domain: string,
  { manifest: { made } }: OpenedArchive,
  replaced: string,
): Promise<void> {
  const text = `This replaces the data of ${domain}, ${replaced}, by that of ${made}; what is there is not kept (npm run backup -w stoat keeps it)`
  const about = inEnvironment(text, options.env)
  if (own.confirm === undefined) return confirmByName(about, domain, canAsk(options.json === true, processEnv))
  if (own.confirm !== domain)
    throw usage(`--confirm ${own.confirm} is not the domain; nothing was changed`, `This Stoat is ${domain}.`)
}

/** The scripts whose objects hold a key of the archive, or note one. */
export const startedAgain: readonly string[] = ['config', 'datastores', 'services']

/**
 * Starts the programs as a deploy does: in their order, with the keys that are there now. The stores first: their pods note
 * by the encryption key which passwords they started with, and the broker's clients must be younger than it is.
 */
async function startAgain({ workspace, emit, signals }: Session, context: StoatContext): Promise<void> {
  const scripts = workspace.scripts.filter(({ name }) => startedAgain.includes(name))
  // What is migrated from here on is what the archive holds.
  await deploy(collect(workspace.scripts, { ...context, hasBackup: true }, scripts), {
    emit,
    stopping: signals.stopping,
    holder: describeHolder(),
    lockTimeout: context.env.ROLLOUT_TIMEOUT,
    agree: async () => {},
  }).catch((error: unknown) => {
    const { message } = error as Error
    const { detail = [], remedy } = error instanceof Failure ? error : {}
    throw new Failure('error', `all is restored, but Stoat was not started again: ${message}`, {
      ...{ detail, cause: error },
      remedy: `${remedy ? `${remedy}\n` : ''}npm run deploy -w stoat starts it.`,
    })
  })
}

async function readCanary({ emit }: Session, context: StoatContext): Promise<void> {
  const canary = await findCanary(context)
  const end = (level: 'info' | 'warn', text: string) =>
    emit({ type: 'message', level, text: `${text}. What remains: npm run verify -w stoat` })
  if (!canary) return end('info', 'restored; the backup knows of no canary file to read')
  // The file server has just been started.
  const { outcome, detail } = await whileWaiting(emit, 'the canary file', () =>
    sharedEntrance(context)(async ({ send }) => judgeCanary(canary, await send(canary.path))),
  ).catch((error: Error) => ({ outcome: 'fail', detail: error.message }))
  if (outcome === 'ok') return end('info', `restored; the canary file comes back as it was stored (${detail})`)
  end('warn', `restored, but the canary file does not come back: ${detail}`)
}
