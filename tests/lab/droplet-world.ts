import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import { changesOf, makePlan, type Plan, type Work } from '@infra/shared/engine/plan'
import { sampleEnv } from '@infra/shared/env/sample'
import { type DigitalOceanOptions, digitalOcean } from '@infra/shared/targets/digitalocean/digitalocean'
import type { ProvisionContext } from '../../pod/provision/context.ts'
import { type ProvisionEnv, provisionSchema } from '../../pod/provision/env.ts'
import script from '../../pod/scripts/00-droplet.ts'
import { type DigitalOceanFake, startDigitalOcean } from './digitalocean-fake.ts'
import { type DnsFake, startDns } from './dns-fake.ts'

/** MD5, of the key in the sample environment. */
export const keyFingerprint = 'af:81:ee:e9:e8:d7:81:da:f2:dc:81:37:3b:da:01:e7'

/** All that the pod's first script talks to: an account with the zone example.com, its name server, a droplet's sshd. */
export class DropletWorld {
  readonly fake: DigitalOceanFake
  readonly dns: DnsFake
  readonly sshd: Server
  readonly port: number
  #real: ChildProcess | undefined
  /** An empty folder. */
  readonly folder = mkdtempSync(join(tmpdir(), 'droplet-'))

  constructor(fake: DigitalOceanFake, dns: DnsFake, sshd: Server) {
    this.fake = fake
    this.dns = dns
    this.sshd = sshd
    this.port = (sshd.address() as { port: number }).port
  }

  static async start(): Promise<DropletWorld> {
    const fake = await startDigitalOcean()
    fake.domains.set('example.com', [
      { id: 1, type: 'NS', name: '@', data: 'ns1.digitalocean.com', ttl: 1800 },
      { id: 2, type: 'A', name: 'www', data: '198.51.100.1', ttl: 1800 },
    ])
    const dns = await startDns((name) => fake.addresses(name))
    const sshd = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6p1\r\n').on('error', () => {}))
    await new Promise<void>((resolve) => sshd.listen(0, '127.0.0.1', resolve))
    return new DropletWorld(fake, dns, sshd)
  }

  /** A real sshd in the place of the greeting; gives its public key. */
  async realSsh(): Promise<string> {
    const key = join(this.folder, 'host_key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
    await new Promise((resolve) => this.sshd.close(resolve))
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const options = ['-D', '-f', '/dev/null', '-h', key, '-p', String(this.port), '-o', 'ListenAddress=127.0.0.1']
    this.#real = spawn('/usr/sbin/sshd', options, { stdio: 'ignore' })
    return readFileSync(`${key}.pub`, 'utf8').trim()
  }

  async stop(): Promise<void> {
    this.#real?.kill()
    rmSync(this.folder, { recursive: true, force: true })
    this.sshd.close()
    await this.dns.stop()
    await this.fake.stop()
  }

  /** The variables of a run of `npm run provision` in this world. */
  settings(): Readonly<Record<string, string>> {
    return {
      INFRA_ROOT: this.folder,
      DIGITALOCEAN_TOKEN: this.fake.token,
      DIGITALOCEAN_API_URL: this.fake.endpoint,
      DIGITALOCEAN_NAMESERVER: this.dns.server,
      VALENCE_DOMAIN: 'pod.example.com',
      VALENCE_SSH_PUBKEY: sampleEnv(provisionSchema).VALENCE_SSH_PUBKEY?.line ?? '',
      VALENCE_SSH_PORT: String(this.port),
    }
  }

  open(more: Partial<DigitalOceanOptions> = {}) {
    const { fake, dns } = this
    const account = { token: secret(fake.token), endpoint: fake.endpoint, nameServer: dns.server, pace: 0.01 }
    return digitalOcean({ ...account, ...more })
  }

  context(more: Partial<ProvisionEnv> = {}, options: Partial<DigitalOceanOptions> = {}): ProvisionContext {
    const env = { ...sampleEnv(provisionSchema), VALENCE_SSH_PORT: this.port, ...more }
    return { env, cloud: this.open(options), envFile: undefined }
  }

  plan(of = this.context()): Promise<Plan> {
    return makePlan(workOf(of), () => {})
  }

  settle(of = this.context(), events: Event[] = []): Promise<number> {
    return deploy(workOf(of), {
      emit: (event) => void events.push(event),
      stopping: () => false,
      holder: 'a test',
      lockTimeout: 0,
      agree: async () => {},
    })
  }
}

const workOf = (of: ProvisionContext): Work[] => [{ script: 'droplet', steps: script.steps(of) }]

/** The changes of a plan: `create droplet …`. */
export const said = (plan: Plan) => plan.steps.flatMap(changesOf).map(({ verb, say }) => `${verb} ${say}`)

/** What changes printed. */
export const heard = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'change.output' ? [event.line] : []))

/** The failure that a piece of work ends with; throws when it ends otherwise. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof Failure) return error
  throw new Error('no failure', { cause: error })
}
