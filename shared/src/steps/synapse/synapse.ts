import { sh } from '../../command/sh.ts'
import { converged, type Decision, type Dependency, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { installedPackages } from '../../facts/host/apt.ts'
import { fileDigest, linkTarget } from '../../facts/host/file.ts'
import { type ConfigFile, configFiles, type DatabaseSetting, synapseFolder } from '../../facts/synapse/config.ts'
import { databaseLocale, userServerNames } from '../../facts/synapse/synapse.ts'
import { databaseRemedy } from '../postgres/postgres.ts'

interface Options {
  readonly dependsOn?: readonly Dependency[]
}

/** Where Synapse keeps its data. */
export interface SynapsePlace {
  readonly database: string
  /** The role of PostgreSQL that it is there. */
  readonly role: string
}

export interface IdentityOptions extends Options, SynapsePlace {
  /** Where its data may be too: they are moved by a step of its own. */
  readonly before: SynapsePlace
  readonly media: string
}

/**
 * Who this server is cannot change: its users, rooms and keys carry the name. A host that runs, or whose database holds,
 * another server is refused, and so is one whose data or media are elsewhere: it would start anew, with none of them.
 */
export function synapseIdentity(on: Target, serverName: string, options: IdentityOptions): Step {
  const { database, role, before, media, dependsOn = [] } = options
  return step({
    id: `synapse.identity ${serverName}`,
    on,
    dependsOn,
    ask: {
      files: configFiles,
      servers: userServerNames(database, role),
      serversBefore: userServerNames(before.database, before.role),
      link: linkTarget(media),
    },
    plan({ files, servers: here = [], serversBefore = [], link }) {
      const unread = files.find((file) => file.unread !== undefined)
      if (unread) return refuseUnread(unread)
      // VALENCE_DOMAIN takes no name with a port or without a dot, makes small letters of capitals, and is no address.
      const stay = (name: string) =>
        `${/^[a-z\d.-]+\.[a-z][a-z\d-]*$/.test(name) ? `Set VALENCE_DOMAIN=${name}, or deploy` : 'Deploy'} ${serverName} on a host of its own.`
      // Whoever else writes into that database later does not tell who this server is.
      const there = keepsDataIn(files, before) === false ? [] : serversBefore
      const servers = [...here, ...there]
      const other = servers.find((name) => name !== serverName)
      if (other) {
        const holder = here.includes(other) ? database : before.database
        return refuse(`the database ${holder} is that of the Matrix server ${other}, not ${serverName}`, stay(other))
      }
      const named = files.findLast(({ values }) => values.server_name !== undefined)
      const name = named?.values.server_name
      if (named && name && name !== serverName)
        return refuse(`${named.path} says that this is the Matrix server ${name}, not ${serverName}`, stay(name))
      const away = keepsDataIn(files, before) ? undefined : elsewhere(files, { database, role })
      if (away)
        return refuse(
          `${away.path} says that Synapse keeps its data in ${away.place}, and it would be started on ${database} without them`,
          away.remedy,
        )
      const storing = files.findLast(({ values }) => values.media_store_path)
      const store = storing?.values.media_store_path
      if (storing && store && store.replace(/\/$/, '') !== media)
        return refuse(
          `Synapse keeps its media in ${store}, not in ${media}`,
          // Into a folder that is there mv would put them one level too deep: -T takes an empty one, and no other.
          `Set media_store_path: ${media} in ${storing.path}, then stop it and move them: systemctl stop matrix-synapse; ${sh`mv -T ${store.replace(/\/$/, '')} ${media}`.line}`,
        )
      if (link)
        return refuse(
          `${media} is a link to ${link}: Synapse may write below its own folder only, and could save no media there`,
          `Mount it there instead: systemctl stop matrix-synapse; rm ${media}; mkdir ${media}; echo '${link} ${media} none bind 0 0' >>/etc/fstab; mount ${media}`,
        )
      return converged(
        name ? `as configured${servers.length > 0 ? ' and in the database' : ''}` : 'no other server here',
      )
    },
  })
}

/** Whoever cannot be read may be another server, or keep its data elsewhere. */
function refuseUnread({ path, unread = '' }: ConfigFile): Decision {
  const remedy = /^no /.test(unread)
    ? 'On the host: apt-get install python3-yaml. Then run again.'
    : `Mend it, or move it out of ${synapseFolder}, then run again: Synapse could not start with it either.`
  return refuse(`nobody knows what ${path} says: ${unread}`, remedy)
}

interface Elsewhere {
  readonly path: string
  readonly place: string
  readonly remedy: string
}

const see = 'docs/runbook.md has each command under "Synapse\'s data are elsewhere".'

/** Where else than in this database the data are; undefined where they are there, or nowhere yet. */
function elsewhere(files: readonly ConfigFile[], ours: SynapsePlace): Elsewhere | undefined {
  const shards = files.find(({ keys }) => keys.includes('databases'))
  if (shards)
    return {
      path: shards.path,
      place: 'several databases (databases)',
      remedy: `Bring them together in ${ours.database} first. ${see}`,
    }
  const naming = files.findLast(({ keys }) => keys.includes('database'))
  if (!naming) return undefined
  const { path, database: now = { dsn: 'yes' } } = naming
  if (now.name === 'sqlite3') {
    if (now.users === 'none' || now.users === '0') return undefined
    const place = `the SQLite file ${now.database} (users: ${now.users})`
    return { path, place, remedy: `Move them with synapse_port_db, then deploy again. ${see}` }
  }
  if (isPlace(now, ours)) return undefined
  const remedy = `Move them into ${ours.database}, of the role ${ours.role}, then deploy again. ${see}`
  return { path, place: placeOf(now), remedy }
}

const isPlace = (now: DatabaseSetting, { database, role }: SynapsePlace) =>
  placeOf(now) === placeOf({ name: 'psycopg2', dbname: database, user: role })

/** Whether the configuration says that Synapse keeps its data there; undefined where it names no database at all. */
export function keepsDataIn(files: readonly ConfigFile[], place: SynapsePlace): boolean | undefined {
  const naming = files.findLast(({ keys }) => keys.includes('database'))
  if (files.some(({ keys }) => keys.includes('databases'))) return false
  return naming && isPlace(naming.database ?? { dsn: 'yes' }, place)
}

/** A database of PostgreSQL in words, with what libpq takes for granted. */
function placeOf({
  name,
  dbname,
  database,
  user = 'matrix-synapse',
  host,
  port = '5432',
  dsn,
}: DatabaseSetting): string {
  if (dsn) return 'a database that it names in a way of its own'
  if (name !== 'psycopg2') return `a database of ${name}`
  const isHere = host === undefined || /^(localhost|127\.0\.0\.1|::1|\/(var\/)?run\/postgresql)$/.test(host)
  const where = [...(isHere ? [] : [`on ${host}`]), ...(port === '5432' ? [] : [`at port ${port}`])]
  return [`the database ${dbname ?? database ?? user} of the role ${user}`, ...where].join(' ')
}

/** By which way Synapse came to the host: the two share their places, so one must not follow the other unasked. */
export function synapseOrigin(
  on: Target,
  way: 'apt' | 'pip',
  { unit, dependsOn = [] }: Options & { unit: string },
): Step {
  const own = `/etc/systemd/system/${unit}`
  const name = 'matrix-synapse-py3'
  return step({
    id: `synapse.origin ${way}`,
    on,
    dependsOn,
    ask: { packages: installedPackages([name]), file: fileDigest(own) },
    plan({ packages, file }) {
      if (way === 'pip' && packages[name])
        return refuse(
          `Synapse is there by its Debian package ${name}, and pip would write into its folder`,
          `Set SYNAPSE_INSTALL=apt, or remove the package first, which keeps configuration and data: apt-get remove ${name}; rm -rf /opt/venvs/matrix-synapse`,
        )
      if (way === 'apt' && file && !packages[name])
        return refuse(
          `Synapse is there by pip (${own}), and the Debian package would write into its folder`,
          `Set SYNAPSE_INSTALL=pip, or remove it first, which keeps configuration and data: systemctl disable --now ${unit}; rm -rf ${own} /opt/venvs/matrix-synapse`,
        )
      return converged(way)
    },
  })
}

/** The database can hold Synapse: UTF-8, and collated by bytes. Otherwise its indexes break at the next upgrade of the C library. */
export function synapseDatabase(on: Target, database: string, { dependsOn = [] }: Options = {}): Step {
  return step({
    id: `encoding and collation of database ${database}`,
    on,
    dependsOn,
    ask: { now: databaseLocale(database) },
    plan: ({ now: { encoding, locale } }) =>
      encoding === 'UTF8' && locale === 'libc, collate C, ctype C'
        ? converged(`${encoding}, ${locale}`)
        : refuse(
            `database ${database} is ${encoding}, ${locale}: Synapse wants UTF8, libc, collate C, ctype C`,
            databaseRemedy,
          ),
  })
}
