import type { StoatEnv } from './env/env.ts'
import { mongoMajor } from './env/images.ts'

type Program = 'api' | 'events' | 'web' | 'autumn' | 'january' | 'gifbox' | 'crond' | 'pushd'
type ReleaseName = StoatEnv['STOAT_IMAGES']

/** All that differs between the releases of Stoat. */
export interface Release {
  readonly images: Readonly<Record<Program, string>>
  /** The revision that its api migrates the database to (`LATEST_REVISION` in its source). */
  readonly revision: number
  /** The oldest major version of MongoDB that its api starts with, every time. */
  readonly oldestMongodb: number
  /** What crond and pushd declare in RabbitMQ and the api publishes to. */
  readonly declares: { readonly exchanges: readonly string[]; readonly queues: readonly string[] }
  readonly defects: readonly string[]
}

const stoatchat = (tag: string, web: string): Record<Program, string> => ({
  api: `ghcr.io/stoatchat/api:${tag}`,
  events: `ghcr.io/stoatchat/events:${tag}`,
  web: `ghcr.io/stoatchat/for-web:${web}`,
  autumn: `ghcr.io/stoatchat/file-server:${tag}`,
  january: `ghcr.io/stoatchat/proxy:${tag}`,
  gifbox: `ghcr.io/stoatchat/gifbox:${tag}`,
  crond: `ghcr.io/stoatchat/crond:${tag}`,
  pushd: `ghcr.io/stoatchat/pushd:${tag}`,
})

const acknowledgements = { exchanges: ['revolt.default', 'revolt.notifications'], queues: ['internal.ack'] }
const oldWeb = 'for-web before 2026-05 has a stored XSS (GHSA-q6j8-cm78-2rrg): name a newer one by STOAT_WEB_IMAGE'

/** The releases, the oldest first, with the images as they were published. */
const releases: Readonly<Record<ReleaseName, Release>> = {
  revolt: {
    images: {
      api: 'ghcr.io/revoltchat/server:20250930-2',
      events: 'ghcr.io/revoltchat/bonfire:20250930-2',
      web: 'ghcr.io/revoltchat/client:master',
      autumn: 'ghcr.io/revoltchat/autumn:20250930-2',
      january: 'ghcr.io/revoltchat/january:20250930-2',
      gifbox: 'ghcr.io/revoltchat/gifbox:20250930-2',
      crond: 'ghcr.io/revoltchat/crond:20250930-2',
      pushd: 'ghcr.io/revoltchat/pushd:20250930-2',
    },
    revision: 48,
    oldestMongodb: 4,
    // Acknowledgements do not go by RabbitMQ yet.
    declares: { exchanges: ['revolt.notifications'], queues: [] },
    defects: [
      'revolt 20250930-2: deleting a role answers 500; STOAT_IMAGES=stoat mends it',
      'revolt 20250930-2: january can be made to fetch private addresses (GHSA-xhww-5g9p-vvq5); its NetworkPolicy lets it reach public ones only',
      'revolt 20250930-2: gifbox asks tenor.googleapis.com, which was shut down on 2026-06-30: there are no GIFs',
    ],
  },
  stoat: {
    images: stoatchat('v0.13.8', '746bee5'),
    revision: 50,
    oldestMongodb: 4,
    declares: acknowledgements,
    defects: [oldWeb],
  },
  next: {
    images: stoatchat('v0.15.1', '746bee5'),
    revision: 52,
    // From its second start on it makes a collection that is there already, which older ones refuse.
    oldestMongodb: 7,
    declares: acknowledgements,
    defects: [oldWeb],
  },
}

/** The release that the environment names. */
export const releaseOf = (env: Pick<StoatEnv, 'STOAT_IMAGES'>): Release => releases[env.STOAT_IMAGES]

/** The images of Stoat's own programs: those that variables name, else those of the release. */
export function imagesOf(env: StoatEnv): Record<Program, string> {
  const { images } = releaseOf(env)
  return {
    api: env.STOAT_API_IMAGE ?? images.api,
    events: env.STOAT_EVENTS_IMAGE ?? images.events,
    web: env.STOAT_WEB_IMAGE ?? images.web,
    autumn: env.STOAT_AUTUMN_IMAGE ?? images.autumn,
    january: env.STOAT_JANUARY_IMAGE ?? images.january,
    gifbox: env.STOAT_GIFBOX_IMAGE ?? images.gifbox,
    crond: env.STOAT_CROND_IMAGE ?? images.crond,
    pushd: env.STOAT_PUSHD_IMAGE ?? images.pushd,
  }
}

/** Known defects of what is deployed, told with every plan. */
export function knownDefects(env: StoatEnv): readonly string[] {
  const mongo = mongoMajor(env.STOAT_MONGODB_IMAGE)
  const tooNew = mongo !== undefined && mongo >= 8
  return [
    ...releaseOf(env).defects,
    ...(tooNew ? [`MongoDB ${mongo} crashes on nodes with Linux 6.19 or newer (exit code 139)`] : []),
  ]
}

/**
 * The revision that an api migrates the database to, by its image: of every version whose source was read, patch releases
 * among them. Undefined for a newer one, for one that is named by its digest, and for one of your own.
 */
export function revisionOf(apiImage: string): number | undefined {
  if (/^ghcr\.io\/revoltchat\/server:20250930-\d+$/.test(apiImage)) return 48
  const [, minor] = /^ghcr\.io\/stoatchat\/api:v0\.(\d+)\.\d+$/.exec(apiImage) ?? []
  if (minor === undefined || Number(minor) < 9 || Number(minor) > 15) return undefined
  return Number(minor) < 14 ? 50 : 52
}

/** Which value of `STOAT_IMAGES` goes with a database of a revision: the oldest that knows it. Undefined where none does. */
const releaseOfRevision = (revision: number): ReleaseName | undefined =>
  (Object.keys(releases) as ReleaseName[]).find((name) => releases[name].revision >= revision)

/** From this revision on invites are in `account_invites`: the api renames `invites`, and drops what has that name already. */
const invitesRenamed = 51

/**
 * What to set so that the api knows a database of a revision, for people: `STOAT_IMAGES=stoat`. An image of the api that the
 * environment names has to go, since it would win.
 */
export function settingFor(env: Pick<StoatEnv, 'STOAT_API_IMAGE'>, revision: number): string {
  const name = releaseOfRevision(revision)
  if (name === undefined) return 'STOAT_API_IMAGE to the api of a release that is newer than next'
  return `STOAT_IMAGES=${name}${env.STOAT_API_IMAGE === undefined ? '' : ' and unset STOAT_API_IMAGE'}`
}

/**
 * What to set for an image of MongoDB, for people. Where the release does not start with that, which one does, by what the
 * database says of its revision.
 */
export function mongodbSettingFor(
  env: Pick<StoatEnv, 'STOAT_IMAGES'>,
  image: string,
  database?: { readonly revision: number | null },
): string {
  const set = `STOAT_MONGODB_IMAGE=${image}`
  if ((mongoMajor(image) ?? 0) >= releaseOf(env).oldestMongodb) return set
  const name = database && releaseOfRevision(database.revision ?? 0)
  return `${set} and ${name ? `STOAT_IMAGES=${name}` : `another STOAT_IMAGES than ${env.STOAT_IMAGES}`}`
}

/** An expression for mongosh: the collection of invites in the database as it is, whichever release is asked for. */
export const invitesCollection = `db.getCollection((db.migrations.findOne({ _id: 0 })?.revision ?? 0) < ${invitesRenamed} ? 'invites' : 'account_invites')`

/** From this revision on the api makes `audit_logs` with its indexes, after an upgrade at its second start. */
export const auditLogsSince = 52

/** What each migration does, by the revision that it begins at. */
const migrations: Readonly<Record<number, string>> = {
  48: "servers' default permissions get Video, Speak and Listen",
  49: 'each role gets its id',
  50: 'the collection invites becomes account_invites',
  51: 'audit_logs is made, at the second start',
}

/** What the api does to a database of one revision to get to another: one text each. */
export const migrationsBetween = (from: number, to: number): readonly string[] =>
  Object.entries(migrations).flatMap(([revision, what]) =>
    Number(revision) >= from && Number(revision) < to ? [what] : [],
  )
