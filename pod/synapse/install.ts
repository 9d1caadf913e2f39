import { dirname } from 'node:path'
import type { Add } from '@infra/shared/engine/script'
import type { Dependency, Step } from '@infra/shared/engine/step'
import { synapseDropIns, synapseFolder } from '@infra/shared/facts/synapse/config'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { aptSource } from '@infra/shared/steps/host/apt-source'
import { directory, file } from '@infra/shared/steps/host/file'
import { keyring } from '@infra/shared/steps/host/keyring'
import { pipPackage } from '@infra/shared/steps/host/pip'
import { venv } from '@infra/shared/steps/host/python'
import { statOverride } from '@infra/shared/steps/host/stat-override'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import type { PodContext } from '../context.ts'
import { synapseVersion } from '../env/synapse.ts'
import { vendorOrigins } from '../host/security.ts'
import { lockContents, synapseLock } from './lock.ts'
import { hardening, synapseState, synapseUnit, synapseUser, synapseVenv, unitFile } from './synapse.ts'

const keys = '/usr/share/keyrings/matrix-org-archive-keyring.gpg'

interface Options {
  readonly dependsOn: readonly Dependency[]
}

/** Synapse by the maker's own Debian package, from packages.matrix.org. Adds its steps; returns those that it is ready after. */
export function synapseByApt({ host, env }: PodContext, add: Add, { dependsOn }: Options): readonly Step[] {
  const url = `https://${vendorOrigins.synapse}/debian`
  const tools = add(aptPackages(host, ['gpg', 'curl'], { dependsOn }))
  const key = add(
    keyring(host, keys, {
      url: `${url}/matrix-org-archive-keyring.gpg`,
      fingerprint: env.SYNAPSE_KEY_FINGERPRINT,
      dependsOn: [tools],
    }),
  )
  const source = add(
    aptSource(host, 'matrix-org', {
      uri: `${url}/`,
      suite: (release) => release,
      components: ['main'],
      signedBy: keys,
      needless: () => '',
      dependsOn: [key],
    }),
  )
  // homeserver.yaml is one of the package's files.
  add(upgradesFrom(host, vendorOrigins.synapse, { keepFiles: true, dependsOn: [source] }))
  // The package asks for these two when it is installed, unless it finds them; without a name its service does not start.
  // The package would give its folder to Synapse's account, which could then lead root anywhere below it.
  const own = add(directory(host, synapseFolder, { dependsOn }))
  const kept = add(statOverride(host, synapseFolder, { owner: 'root', group: 'root', mode: '0755', dependsOn: [own] }))
  const folder = add(directory(host, synapseDropIns, { dependsOn: [kept] }))
  const answer = (name: string, content: string) =>
    add(file(host, `${synapseDropIns}/${name}.yaml`, { content, dependsOn: [folder] }))
  const answers = [
    answer('server_name', `server_name: ${env.VALENCE_DOMAIN}\n`),
    answer('report_stats', 'report_stats: false\n'),
  ]
  return [add(aptPackages(host, ['matrix-synapse-py3'], { dependsOn: [source, ...answers] }))]
}

/** Synapse by pip, at one version, where its Debian package would put it. Adds its steps; returns those that it is ready after. */
export function synapseByPip({ host, env }: PodContext, add: Add, { dependsOn }: Options): readonly Step[] {
  // psycopg2 is compiled.
  const tools = add(aptPackages(host, ['python3-venv', 'python3-dev', 'libpq-dev', 'build-essential'], { dependsOn }))
  const account = add(systemUser(host, synapseUser, { home: synapseState, dependsOn }))
  const parent = add(directory(host, '/opt/venvs', { dependsOn }))
  const place = add(venv(host, synapseVenv, { user: 'root', dependsOn: [tools, parent] }))
  const isLocked = env.SYNAPSE_VERSION === synapseVersion
  const program = add(
    pipPackage(host, 'matrix-synapse', {
      version: env.SYNAPSE_VERSION,
      extras: ['postgres'],
      venv: synapseVenv,
      builder: builder.account,
      lock: isLocked ? synapseLock() : undefined,
      unlocked: `no hashes are known of Synapse ${env.SYNAPSE_VERSION} (SYNAPSE_VERSION): what the index has is installed, and built, unchecked`,
      dependsOn: [place, ...addBuilder(host, add), ...(isLocked ? addLock(host, add) : [])],
    }),
  )
  const folder = add(directory(host, synapseFolder, { dependsOn }))
  const dropIns = add(directory(host, synapseDropIns, { dependsOn: [folder] }))
  const state = add(directory(host, synapseState, { owner: synapseUser, mode: '0750', dependsOn: [account] }))
  const unit = add(file(host, `/etc/systemd/system/${synapseUnit}`, { content: unitFile, dependsOn: [account] }))
  return [program, dropIns, state, unit]
}

/** What closes Synapse's unit in, however it came. */
export function synapseHardened({ host }: PodContext, add: Add, { dependsOn }: Options): Step {
  const dropIns = `/etc/systemd/system/${synapseUnit}.d`
  const folder = add(directory(host, dropIns))
  return add(file(host, `${dropIns}/hardening.conf`, { content: hardening, dependsOn: [folder, ...dependsOn] }))
}

/** Who fetches and builds what pip installs: an account that owns nothing else. */
const builder = { account: 'valence-build', home: '/var/lib/valence-build' } as const

function addBuilder(host: PodContext['host'], add: Add): readonly Step[] {
  const { account, home } = builder
  const made = add(systemUser(host, account, { home }))
  return [add(directory(host, home, { owner: account, mode: '0700', dependsOn: [made] }))]
}

function addLock(host: PodContext['host'], add: Add): readonly Step[] {
  const files = Object.entries(lockContents())
  const folder = add(directory(host, dirname(files[0]?.[0] ?? '')))
  return files.map(([path, content]) => add(file(host, path, { content, dependsOn: [folder] })))
}
