import type { Dependency, Step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { synapseDropIns, synapseFolder } from '@infra/shared/facts/synapse/config'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { aptSource } from '@infra/shared/steps/host/apt-source'
import { directory, file } from '@infra/shared/steps/host/file'
import { keyring } from '@infra/shared/steps/host/keyring'
import { pipPackage } from '@infra/shared/steps/host/pip'
import { venv } from '@infra/shared/steps/host/python'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import type { PodEnv } from '../env/env.ts'
import { makers } from '../host/security.ts'
import { synapseState, synapseUnit, synapseUser, synapseVenv, unitFile } from './synapse.ts'

const keys = '/usr/share/keyrings/matrix-org-archive-keyring.gpg'

interface Options {
  readonly dependsOn: readonly Dependency[]
}

/** Synapse by the maker's own Debian package, from packages.matrix.org. */
export function synapseByApt(host: Target, env: PodEnv, { dependsOn }: Options): Step[] {
  const url = `https://${makers.synapse}/debian`
  const key = keyring(host, keys, { url: `${url}/matrix-org-archive-keyring.gpg`, dependsOn })
  const source = aptSource(host, 'matrix-org', {
    uri: `${url}/`,
    suite: (release) => release,
    components: ['main'],
    signedBy: keys,
    needless: () => '',
    dependsOn: [key],
  })
  // The package asks for these two when it is installed, unless it finds them; without a name its service does not start.
  const answers = [
    directory(host, synapseDropIns, { dependsOn }),
    file(host, `${synapseDropIns}/server_name.yaml`, { content: `server_name: ${env.VALENCE_DOMAIN}\n`, dependsOn }),
    file(host, `${synapseDropIns}/report_stats.yaml`, { content: 'report_stats: false\n', dependsOn }),
  ]
  // homeserver.yaml is one of the package's files.
  const updated = upgradesFrom(host, makers.synapse, { keepFiles: true, dependsOn: [source] })
  return [
    key,
    source,
    updated,
    ...answers,
    aptPackages(host, ['matrix-synapse-py3'], { dependsOn: [source, ...answers] }),
  ]
}

/** Synapse by pip, at one version, where its Debian package would put it. */
export function synapseByPip(host: Target, env: PodEnv, { dependsOn }: Options): Step[] {
  // psycopg2 is compiled.
  const tools = aptPackages(host, ['python3-venv', 'python3-dev', 'libpq-dev', 'build-essential'], { dependsOn })
  const account = systemUser(host, synapseUser, { home: synapseState, dependsOn })
  const parent = directory(host, '/opt/venvs', { dependsOn })
  const place = venv(host, synapseVenv, { user: 'root', dependsOn: [tools, parent] })
  return [
    tools,
    account,
    parent,
    place,
    pipPackage(host, 'matrix-synapse', {
      version: env.SYNAPSE_VERSION,
      extras: ['postgres'],
      venv: synapseVenv,
      dependsOn: [place],
    }),
    directory(host, synapseFolder, { dependsOn }),
    directory(host, synapseDropIns, { dependsOn }),
    directory(host, synapseState, { owner: synapseUser, mode: '0750', dependsOn: [account] }),
    file(host, `/etc/systemd/system/${synapseUnit}`, { content: unitFile, dependsOn: [account] }),
  ]
}
