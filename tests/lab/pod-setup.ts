import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CliOptions, type CliResult, type CliRun, project, runCli, startCli } from '../support/cli.ts'
import { type AcmeServer, acmeDirectory, acmeServer } from './acme.ts'
import { type AptProxy, openAptProxy } from './apt-proxy.ts'
import { type ClaudeInstaller, claudeInstaller } from './claude-installer.ts'
import { type GitServer, gitServer } from './git-server.ts'
import { type BootOptions, bootHost, type LabHost } from './host.ts'
import { labDomain } from './prepare.ts'
import type { Release } from './root.ts'
import { until } from './run.ts'
import { ensureState, type SavedState } from './states.ts'
import { ensureWheels } from './wheels.ts'

type Variables = Readonly<Record<string, string | undefined>>
type CliExtra = Omit<CliOptions, 'root'>

/** A lab host, the servers that a deployment of it needs, and the real command line with an environment for it. */
export interface Pod {
  readonly host: LabHost
  readonly git: GitServer
  readonly claude: ClaudeInstaller
  readonly acme: AcmeServer
  /** What brings packages to a host without IPv4. */
  readonly apt: AptProxy | undefined
  /** The folder of its `.env.pod` and `.infra`. */
  readonly root: string
  /** Runs the command line to its end: `pod.cli('deploy', '--yes')`. */
  cli(...args: string[]): Promise<CliResult>
  /** The same with a changed process environment, or another file. */
  cliWith(extra: CliExtra, ...args: string[]): Promise<CliResult>
  /** Starts the command line, to be watched or stopped. */
  start(...args: string[]): CliRun
  /** The roots that its certificate may lead to. */
  roots(): Promise<readonly string[]>
  /** Writes `.env.pod` anew, with these variables changed. */
  configure(more?: Variables): Promise<void>
  /** Takes all away, the host too. */
  close(): Promise<void>
}

const made = (name: string) => createHash('sha256').update(`lab ${name}`).digest('base64url')

/** The secrets of every lab pod: always the same, so that a clone of a saved host is found converged. */
export const podSecrets: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'VALENCE_DB_PASSWORD',
      'VALENCE_BOT_PASSWORD',
      'SYNAPSE_ADMIN_PASSWORD',
      'SYNAPSE_REGISTRATION_SECRET',
      'SYNAPSE_MACAROON_SECRET',
      'SYNAPSE_FORM_SECRET',
      // With characters that shells, SQL and URLs mind.
    ].map((name) => [name, `${made(name)}+/%"$&= \\;`]),
  ),
  OPENAI_API_KEY: `sk-proj-${made('OPENAI_API_KEY')}`,
  ANTHROPIC_API_KEY: `sk-ant-api03-${made('ANTHROPIC_API_KEY')}`,
}

// What the release itself carries (Debian 12 without pgvector).
const postgres: Readonly<Record<Release, number>> = { trixie: 17, bookworm: 15 }

/** A full, valid environment for the pod on this lab host, without secrets. */
export function podSettings(host: LabHost, release: Release = 'trixie'): Record<string, string> {
  return {
    VALENCE_POD_IP: host.address,
    VALENCE_DOMAIN: labDomain,
    LETSENCRYPT_EMAIL: 'admin@lab.example.org',
    VALENCE_SSH_PUBKEY_FILE: `${host.keyFile}.pub`,
    VALENCE_SSH_PRIVATE_KEY_FILE: host.keyFile,
    VALENCE_SSH_PORT: String(host.sshPort),
    VALENCE_POSTGRES_VERSION: String(postgres[release]),
    VALENCE_REPO_URL: 'http://lab.internal:8418/public/valence.git',
    VALENCE_REPO_REF: 'v1.0.1',
    // packages.matrix.org is not within reach of every machine; and pip says which version.
    SYNAPSE_INSTALL: 'pip',
    ACME_DIRECTORY_URL: acmeDirectory,
    VALENCE_CLAUDE_INSTALLER_URL: 'http://lab.internal:8480/install.sh',
  }
}

/**
 * Writes variables as an environment file that only we can read; those without a value are left out. A value with a
 * single quote cannot be written in a file that a shell reads the same: give it by `cliWith({ env })`.
 */
export async function writeEnv(file: string, variables: Variables): Promise<void> {
  const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const lines = set.map(([name, value]) => `${name}='${value}'\n`)
  await writeFile(file, lines.join(''), { mode: 0o600 })
}

/** Starts what a deployment of this host needs beside it, and writes an environment for it. */
export async function openPod(host: LabHost, options: { release?: Release; ssh?: boolean } = {}): Promise<Pod> {
  const root = await mkdtemp(join(tmpdir(), 'infra-pod-'))
  const git = await gitServer({ hosts: [host], ssh: options.ssh === true })
  const [claude, acme] = await Promise.all([claudeInstaller([host]), acmeServer(host)])
  const apt = isIPv6(host.address) ? await openAptProxy(host) : undefined
  // A saved host has its certificate of an authority that is gone.
  const roots = async () => [(await host.exec(`cat ${keptRoot}`)).stdout, await acme.root()].filter(Boolean)
  const authorities = join(root, 'authorities.pem')
  await writeFile(authorities, (await roots()).join(''))
  const settings = { ...podSettings(host, options.release), VALENCE_CA_FILE: authorities }
  const configure = (more: Variables = {}) => writeEnv(join(root, '.env.pod'), { ...settings, ...podSecrets, ...more })
  await configure()
  return {
    host,
    git,
    claude,
    acme,
    apt,
    root,
    cli: (...args) => runCli('pod', args, { root }),
    cliWith: (extra, ...args) => runCli('pod', args, { ...extra, root }),
    start: (...args) => startCli('pod', args, { root }),
    roots,
    configure,
    close: async () => {
      await Promise.all([git.stop(), claude.stop(), acme.stop(), apt?.close()])
      await host.destroy()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A bare host, opened as a pod. */
export async function barePod(boot: BootOptions = {}): Promise<Pod> {
  const { release = 'trixie' } = boot
  if (release === 'trixie') await ensureWheels(release, () => bootHost({ release }))
  return openPod(await bootHost({ cloudInit: true, ...boot }), { release })
}

/** A clone of a saved host (about a second), opened as a pod. */
export async function clonePod(
  state: SavedState,
  boot: BootOptions = {},
  options: { ssh?: boolean } = {},
): Promise<Pod> {
  return openPod(await bootHost({ ...boot, from: state }), { release: state.release, ...options })
}

/** A host on which `deploy -t security` was run and nothing else. */
export async function halfMadePod(): Promise<SavedState> {
  return ensureState('pod-half', await sourcesRecipe(), (as) => saved(() => barePod(), as, ['-t', 'security']))
}

/** A host that was deployed in full, by the real command line. Made once for these sources. */
export async function convergedPod(): Promise<SavedState> {
  const half = await halfMadePod()
  return ensureState('pod-converged', await sourcesRecipe(), (as) => saved(() => clonePod(half), as, []))
}

const keptRoot = '/root/acme-root.pem'

// Synapse works on its tables by itself for a minute after its first start: what was saved before would do so again.
const isAtRest = async ({ host }: Pod): Promise<true | undefined> => {
  const open = "cd / && runuser -u postgres -- psql -qAt -d synapse -c 'SELECT count(*) FROM background_updates'"
  const { stdout } = await host.exec(open)
  return stdout.trim() === '0' || undefined
}

async function saved(
  open: () => Promise<Pod>,
  as: { name: string; recipe: unknown },
  args: readonly string[],
): Promise<SavedState> {
  const pod = await open()
  try {
    // In another order than the scripts': one that lacks an edge between two steps fails here.
    const { code, stdout, stderr } = await pod.cliWith({ shuffle: 'last' }, 'deploy', '--yes', ...args)
    if (code !== 0) throw new Error(`lab: the deployment for ${as.name} ended with ${code}\n${stdout}\n${stderr}`)
    if (args.length === 0) {
      // pebble's root is another at each start: that of the certificate goes with the host.
      await pod.host.exec(`cat >${keptRoot} <<'END'\n${await pod.acme.root()}END`)
      await until("Synapse's own work on its tables", 420_000, () => isAtRest(pod))
    }
    return await pod.host.save(as)
  } finally {
    await pod.close()
  }
}

/** Everything that a deployment is made of: a saved host of other sources is never used. */
async function sourcesRecipe(): Promise<unknown> {
  const files = ['tests/lab/pod-setup.ts', 'tests/lab/claude-installer.ts', 'tests/lab/root.ts', 'tests/lab/prepare.ts']
  for (const folder of ['pod', 'shared/src', 'tests/lab/valence']) {
    const entries = await readdir(join(project, folder), { recursive: true })
    files.push(...entries.filter((name) => /\.(ts|py|sql|toml|sh|lock)$/.test(name)).map((name) => join(folder, name)))
  }
  const hash = createHash('sha256')
  for (const file of files.sort()) hash.update(file).update(await readFile(join(project, file)))
  return { version: 1, sources: hash.digest('hex') }
}
