import type { Step } from '@infra/shared/engine/step'
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
  readonly after: readonly Step[]
}

/** Synapse by the maker's own Debian package, from packages.matrix.org. */
export function synapseByApt(host: Target, env: PodEnv, { after }: Options): Step[] {
  const url = `https://${makers.synapse}/debian`
  const key = keyring(host, keys, { url: `${url}/matrix-org-archive-keyring.gpg`, after })
  const source = aptSource(host, 'matrix-org', {
    uri: `${url}/`,
    suite: (release) => release,
    components: ['main'],
    signedBy: keys,
    needless: () => '',
    after: [key],
  })
  // The package asks for these two when it is installed, unless it finds them; without a name its service does not start.
  const answers = [
    directory(host, synapseDropIns, { after }),
    file(host, `${synapseDropIns}/server_name.yaml`, { content: `server_name: ${env.VALENCE_DOMAIN}\n`, after }),
    file(host, `${synapseDropIns}/report_stats.yaml`, { content: 'report_stats: false\n', after }),
  ]
  // homeserver.yaml is one of the package's files.
  const updated = upgradesFrom(host, makers.synapse, { keepFiles: true, after: [source] })
  return [key, source, updated, ...answers, aptPackages(host, ['matrix-synapse-py3'], { after: [source, ...answers] })]
}

/** Synapse by pip, at one version, where its Debian package would put it. */
export function synapseByPip(host: Target, env: PodEnv, { after }: Options): Step[] {
  // psycopg2 is compiled.
  const tools = aptPackages(host, ['python3-venv', 'python3-dev', 'libpq-dev', 'build-essential'], { after })
  const account = systemUser(host, synapseUser, { home: synapseState, after })
  const parent = directory(host, '/opt/venvs', { after })
  const place = venv(host, synapseVenv, { user: 'root', after: [tools, parent] })
  return [
    tools,
    account,
    parent,
    place,
    pipPackage(host, 'matrix-synapse', {
      version: env.SYNAPSE_VERSION,
      extras: ['postgres'],
      venv: synapseVenv,
      after: [place],
    }),
    directory(host, synapseFolder, { after }),
    directory(host, synapseDropIns, { after }),
    directory(host, synapseState, { owner: synapseUser, mode: '0750', after: [account] }),
    file(host, `/etc/systemd/system/${synapseUnit}`, { content: unitFile, after: [account] }),
  ]
}
