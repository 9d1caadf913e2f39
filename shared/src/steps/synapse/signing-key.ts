import { type Shell, sh } from '../../command/sh.ts'
import { changes, create, type Decision, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type ConfigFile, configFiles, synapseConfig } from '../../facts/synapse/config.ts'
import { type SigningKey, signingKeys, userServerNames } from '../../facts/synapse/synapse.ts'
import { backupOf, ownershipChange } from '../host/file.ts'
import type { SynapsePlace } from './synapse.ts'

export interface SigningKeyOptions extends SynapsePlace {
  readonly before: SynapsePlace
  readonly user: string
  readonly venv: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * The key that signs what this server says to others. It is made once: another one would make the server a stranger to
 * all that know it. So the one that the configuration names is brought here, whatever lies here, and a server that has
 * users but no key is refused.
 */
export function synapseSigningKey(on: Target, path: string, options: SigningKeyOptions): Step {
  const { database, role, before, user, venv, dependsOn = [] } = options
  const generator = `${venv}/bin/generate_signing_key`
  return step({
    id: `synapse.signing-key ${path}`,
    on,
    dependsOn,
    ask: {
      files: configFiles,
      keys: signingKeys(path),
      servers: userServerNames(database, role),
      serversBefore: userServerNames(before.database, before.role),
    },
    plan({ files, keys, servers = [], serversBefore = [] }) {
      const place: KeyPlace = { path, user, generator, database: servers.length > 0 ? database : before.database }
      const naming = files.findLast(({ values }) => values.signing_key_path)
      const named = naming?.values.signing_key_path ?? path
      const found: FoundKeys = { now: keys[path], used: keys[named], named, naming: naming?.path ?? synapseConfig }
      return (
        refuseInline(place, files, naming) ??
        refuseBroken(place, found) ??
        takeNamed(place, found) ??
        refuseLost(place, found, servers.length + serversBefore.length > 0) ??
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

function refuseInline(
  { path }: KeyPlace,
  files: readonly ConfigFile[],
  naming: ConfigFile | undefined,
): Decision | undefined {
  const inline = files.find(({ keys }) => keys.includes('signing_key'))
  if (!inline) return undefined
  // What is named beside it was never used; once signing_key is gone, it would be.
  const unused = naming && naming.values.signing_key_path !== path ? `, and signing_key_path out of ${naming.path}` : ''
  return refuse(
    `${inline.path} holds the signing key itself (signing_key), and would lose it`,
    `Write its value into ${path}, chmod 600 it, and take signing_key out of ${inline.path}${unused}.`,
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
