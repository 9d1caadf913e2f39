import { spawn } from 'node:child_process'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { scratchFolder } from '../cache.ts'
import { freePort } from '../http.ts'
import { must, tether, until } from '../run.ts'
import { builderEnv } from './builder.ts'
import { makeAuthority, makeCertificate } from './certificates.ts'
import type { Image } from './images.ts'
import type { KubeLab } from './kube.ts'
import { tail } from './node.ts'
import { type RegistryRequest, startRelay } from './registry-relay.ts'

/** A registry that stands for ECR: its name is asked for, and its password needed, as there. */
export type Registry = {
  /** `ACCOUNT.dkr.ecr.REGION.amazonaws.com` */
  readonly host: string
  /** Where it really listens. */
  readonly address: string
  /** The certificate authority of the registry, a PEM file. */
  readonly authority: string
  /** What moto's `get-authorization-token` gives out. */
  readonly user: 'AWS'
  password(): string
  /** Lets no other password in from now on, as when a token has expired. */
  setPassword(password: string): Promise<void>
  /**
   * For a process that builds and pushes: `buildah` on PATH is Debian's own, which finds `host` here, keeps its images
   * in our own folder and its login in `REGISTRY_AUTH_FILE`; nothing of the machine's is read or written.
   */
  readonly env: Readonly<Record<string, string>>
  /** Puts an image where buildah finds it for a FROM, under its own name or others, without any registry. */
  addBase(image: Image, ...names: readonly string[]): Promise<void>
  /** Asks it past any tool, as the user: a path like `/v2/discord-bot/tags/list`. */
  ask(method: string, path: string): Promise<{ readonly status: number; readonly text: string }>
  /** What tools have asked since the start: `ask` is not told. */
  requests(): readonly RegistryRequest[]
  stop(): Promise<void>
}

export type RegistryOptions = {
  readonly account?: string
  readonly region?: string
  /** The endpoint of a moto whose ECR knows what is pushed, and without whose repository nothing can be pushed. */
  readonly ecr?: string
}

/** Starts Debian's docker-registry on the machine's side of a cluster, and tells the cluster's containerd. */
export async function startRegistry(
  kube: Pick<KubeLab, 'gateway' | 'registries'>,
  options: RegistryOptions = {},
): Promise<Registry> {
  const { account = '123456789012', region = 'ca-central-1' } = options
  const host = `${account}.dkr.ecr.${region}.amazonaws.com`
  const folder = await scratchFolder('registry')
  await makeAuthority(folder, 'lab-registry')
  await makeCertificate(folder, 'registry', { subject: '/CN=lab-registry', addresses: [host, kube.gateway] })
  const authority = join(folder, 'ca.crt')
  let password = `${account}-auth-token`
  const writePassword = async () => {
    // By stdin; bcrypt is the only hash it takes, and perl has it from Debian's C library.
    const hash = await must('perl', ['-e', bcrypt], { input: password })
    await writeFile(join(folder, 'htpasswd.new'), `AWS:${hash}\n`, { mode: 0o600 })
    await rename(join(folder, 'htpasswd.new'), join(folder, 'htpasswd'))
  }
  await writePassword()
  const inner = await freePort()
  await writeFile(join(folder, 'config.json'), JSON.stringify(settings(folder, inner)))
  const server = await serve(folder)
  const relay = await startRelay({ address: kube.gateway, inner, folder, account, region, ecr: options.ecr })
  const ask: Registry['ask'] = async (method, path) => {
    const ca = await readFile(authority)
    return new Promise((resolve, reject) => {
      const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
      const asked = request(
        { host: kube.gateway, ca, method, path, auth: `AWS:${password}`, headers: { accept, 'user-agent': 'lab' } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          )
        },
      )
      asked.on('error', reject)
      asked.end()
    })
  }
  await until('the registry', 20_000, async () => {
    await server.assertRuns()
    return (await ask('GET', '/v2/').catch(() => undefined))?.status === 200 || undefined
  })
  await tellContainerd(join(kube.registries, host), kube.gateway, authority)
  const env = await builderEnv({ folder, host, address: kube.gateway, authority })
  return {
    host,
    address: kube.gateway,
    authority,
    user: 'AWS',
    password: () => password,
    setPassword: async (desired) => {
      password = desired
      await writePassword()
    },
    env,
    addBase: async ({ archive, name }, ...names) => {
      await must('buildah', ['pull', '--quiet', `docker-archive:${archive}`], { env })
      if (names.length > 0) await must('buildah', ['tag', name, ...names], { env })
    },
    requests: relay.requests,
    ask,
    stop: async () => {
      await relay.stop()
      await server.stop()
    },
  }
}

// No other server is asked: the name is one of AWS's own.
async function tellContainerd(folder: string, address: string, authority: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const lines = [`server = "https://${address}"`, `ca = "${authority}"`, 'capabilities = ["pull", "resolve"]']
  await writeFile(join(folder, 'hosts.toml'), `${lines.join('\n')}\n`)
}

// Salt: 22 letters of bcrypt's own alphabet.
const bcrypt = `
$password = do { local $/; <STDIN> };
@letters = ("a".."z", "A".."Z", 0..9);
print crypt($password, "\\$2b\\$05\\$" . join("", map { $letters[rand @letters] } 1..21) . "u");`

const settings = (folder: string, port: number) => ({
  version: 0.1,
  log: { level: 'warn' },
  storage: { filesystem: { rootdirectory: join(folder, 'images') }, delete: { enabled: true } },
  http: { addr: `127.0.0.1:${port}` },
  auth: { htpasswd: { realm: 'lab', path: join(folder, 'htpasswd') } },
})

async function serve(folder: string) {
  const log = join(folder, 'log')
  const [program, ...args] = [...tether, 'sh', '-c', 'exec "$@" >"$0" 2>&1', log]
  const server = spawn(program, [...args, 'docker-registry', 'serve', join(folder, 'config.json')], {
    detached: true,
    stdio: 'ignore',
  })
  server.unref()
  return {
    assertRuns: async () => {
      if (server.exitCode !== null)
        throw new Error(`lab: the registry ended with ${server.exitCode}\n${await tail(log)}`)
    },
    stop: async () => {
      if (server.exitCode !== null) return
      const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
      server.kill('SIGKILL')
      await ended
    },
  }
}
