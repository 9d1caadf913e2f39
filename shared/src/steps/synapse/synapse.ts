import { type Shell, sh } from '../../command/sh.ts'
import {
  changes,
  converged,
  create,
  type Decision,
  type Dependency,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { installedPackages } from '../../facts/host/apt.ts'
import { fileDigest, linkTarget } from '../../facts/host/file.ts'
import { type ConfigFile, configFiles, type DatabaseSetting, synapseConfig } from '../../facts/synapse/config.ts'
import { databaseLocale, type SigningKey, signingKeys, userServerNames } from '../../facts/synapse/synapse.ts'
import { backupOf, ownershipChange } from '../host/file.ts'

interface Options {
  readonly dependsOn?: readonly Dependency[]
}

export interface IdentityOptions extends Options {
  readonly database: string
  /** The role of PostgreSQL that Synapse is. */
  readonly role: string
  readonly media: string
}

/**
 * Who this server is cannot change: its users, rooms and keys carry the name. A host that runs, or whose database holds,
 * another server is refused, and so is one whose data or media are elsewhere: it would start anew, with none of them.
 */
export function synapseIdentity(on: Target, serverName: string, options: IdentityOptions): Step {
  const { database, role, media, dependsOn = [] } = options
  return step({
    id: `synapse.identity ${serverName}`,
    on,
    dependsOn,
    ask: { files: configFiles, servers: userServerNames(database, role), link: linkTarget(media) },
    plan({ files, servers = [], link }) {
      const stay = (name: string) => `Set VALENCE_DOMAIN=${name}, or deploy ${serverName} on a host of its own.`
      const other = servers.find((name) => name !== serverName)
      if (other)
        return refuse(`the database ${database} is that of the Matrix server ${other}, not ${serverName}`, stay(other))
      const named = files.findLast(({ values }) => values.server_name !== undefined)
      const name = named?.values.server_name
      if (named && name && name !== serverName)
        return refuse(`${named.path} says that this is the Matrix server ${name}, not ${serverName}`, stay(name))
      const away = elsewhere(files, { database, role })
      if (away)
        return refuse(
          `${away.path} says that Synapse keeps its data in ${away.place}, and it would be started on ${database} without them`,
          away.remedy,
        )
      const store = files.findLast(({ values }) => values.media_store_path)?.values.media_store_path
      if (store && store.replace(/\/$/, '') !== media)
        return refuse(
          `Synapse keeps its media in ${store}, not in ${media}`,
          `Stop it and move them: systemctl stop matrix-synapse; mv ${store} ${media}; and put the new path into ${synapseConfig}.`,
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

interface Elsewhere {
  readonly path: string
  readonly place: string
  readonly remedy: string
}

const see = 'docs/runbook.md has each command under "Synapse\'s data are elsewhere".'

/** Where else than in this database the data are; undefined where they are there, or nowhere yet. */
function elsewhere(files: readonly ConfigFile[], ours: { database: string; role: string }): Elsewhere | undefined {
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
  const place = placeOf(now)
  return place === placeOf({ name: 'psycopg2', dbname: ours.database, user: ours.role })
    ? undefined
    : { path, place, remedy: `Move them into ${ours.database}, of the role ${ours.role}, then deploy again. ${see}` }
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
            `Keep its data and make room: pg_dump -Fc ${database} > ${database}.dump as its owner; ALTER DATABASE ${database} RENAME TO ${database}_old as user postgres. Then deploy, and pg_restore --no-owner as its owner.`,
          ),
  })
}

export interface SigningKeyOptions extends Options {
  readonly database: string
  /** The role of PostgreSQL that Synapse is. */
  readonly role: string
  readonly user: string
  readonly venv: string
}

/**
 * The key that signs what this server says to others. It is made once: another one would make the server a stranger to
 * all that know it. So the one that the configuration names is brought here, whatever lies here, and a server that has
 * users but no key is refused.
 */
export function synapseSigningKey(on: Target, path: string, options: SigningKeyOptions): Step {
  const { database, role, user, venv, dependsOn = [] } = options
  const place: KeyPlace = { path, user, database, generator: `${venv}/bin/generate_signing_key` }
  return step({
    id: `synapse.signing-key ${path}`,
    on,
    dependsOn,
    ask: { files: configFiles, keys: signingKeys(path), servers: userServerNames(database, role) },
    plan({ files, keys, servers }) {
      const naming = files.findLast(({ values }) => values.signing_key_path)
      const named = naming?.values.signing_key_path ?? path
      const found: FoundKeys = { now: keys[path], used: keys[named], named, naming: naming?.path ?? synapseConfig }
      return (
        refuseInline(place, files) ??
        refuseBroken(place, found) ??
        takeNamed(place, found) ??
        refuseLost(place, found, (servers?.length ?? 0) > 0) ??
        keepOrMake(place, found)
      )
    },
  })
}

interface KeyPlace {
  readonly path: string
  readonly user: string
  readonly database: string
  readonly generator: string
}

interface FoundKeys {
  /** The key where it shall be. */
  readonly now: SigningKey | undefined
  /** The key that the configuration names … */
  readonly used: SigningKey | undefined
  /** … and where that is, in which file. */
  readonly named: string
  readonly naming: string
}

function refuseInline({ path }: KeyPlace, files: readonly ConfigFile[]): Decision | undefined {
  const inline = files.find(({ keys }) => keys.includes('signing_key'))
  if (!inline) return undefined
  return refuse(
    `${inline.path} holds the signing key itself (signing_key), and would lose it`,
    `Write its value into ${path}, chmod 600 it, and take signing_key out of ${inline.path}.`,
  )
}

function refuseBroken({ path }: KeyPlace, { now, used, named }: FoundKeys): Decision | undefined {
  const broken = used && !used.sound ? named : now && !now.sound && !used ? path : undefined
  if (!broken) return undefined
  return refuse(
    `${broken} is not a signing key`,
    'Put back the key from a backup; if the server never spoke to others, remove the file.',
  )
}

/** The key that the configuration names elsewhere, brought here; the one that is copied stays, and is as secret as ours. */
function takeNamed(place: KeyPlace, { now, used, named }: FoundKeys): Decision | undefined {
  const { path } = place
  if (!used || named === path) return undefined
  const source = ownershipChange(named, used, desiredAccess(place))
  if (now && used.sha256 === now.sha256)
    return changes([...ownershipChange(path, now, desiredAccess(place)), ...source], said(place))
  const copy = sh`cat ${named} >"$t"`
  if (!now) return changes([create(`${path} from ${named}`, writeKey(place, copy)), ...source], '')
  const { path: backup, mkdir } = backupOf(path)
  // A key is never overwritten, not even there.
  const keep = sh`${mkdir} && cp -p --backup=numbered ${path} ${backup} && chmod 600 ${backup}`
  const say = `${path} from ${named}, which this server signs with; the other key kept in ${backup}`
  const exchange = writeKey(place, copy, sh`${keep} && mv -f "$t" ${path}`)
  return changes([update(say, exchange, { risk: 'restart' }), ...source], '')
}

function refuseLost(
  { path, database, generator }: KeyPlace,
  { now, used, named, naming }: FoundKeys,
  isKnown: boolean,
): Decision | undefined {
  if (used || !isKnown) return undefined
  return refuse(
    `the signing key ${named} is gone, but the database ${database} holds the server that it is of`,
    now
      ? `Put it back from a backup. If ${path} is the key that this server signed with, let signing_key_path in ${naming} name it.`
      : `Put it back from a backup. If it is lost for good, make a new one, which other servers will not know: ${generator} -o ${named}`,
  )
}

function keepOrMake(place: KeyPlace, { now }: FoundKeys): Decision {
  const { path, generator } = place
  if (!now) return changes([create(`signing key ${path}`, writeKey(place, sh`${generator} -o - >"$t"`))], '')
  return changes(ownershipChange(path, now, desiredAccess(place)), said(place))
}

const desiredAccess = ({ user }: KeyPlace) => ({ mode: '0640', owner: 'root', group: user })
const said = ({ user }: KeyPlace) => `0640 root:${user}`

/** Writes a key beside its place, readable by its server alone, and puts it there; it takes no other key's place unless told. */
function writeKey({ path, user }: KeyPlace, from: Shell, place = sh`ln "$t" ${path}`): Shell {
  const own = `root:${user}`
  const finish = sh`chown ${own} "$t" && chmod 640 "$t" && ${place}`
  return sh`t=$(mktemp ${`${path}.XXXXXX`}) && trap 'rm -f "$t"' EXIT && ${from} && [ -s "$t" ] && ${finish}`
}
