import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AcmeServer, acmeServer } from '../acme.ts'
import { labAuthority } from '../authority.ts'
import { scratchFolder } from '../cache.ts'
import { type DigitalOceanFake, startDigitalOcean } from '../digitalocean-fake.ts'
import { startDns } from '../dns-fake.ts'
import type { KubeLab } from '../kube/kube.ts'
import { type LoadBalancers, startLoadBalancers } from '../kube/load-balancers.ts'
import { tether, until } from '../run.ts'
import { versitygwProgram } from './go-programs.ts'

/** What a cloud has for Stoat: load balancers, an account with the domain's zone, an ACME authority, an S3. */
export interface Cloud {
  readonly balancers: LoadBalancers
  readonly account: DigitalOceanFake
  readonly acme: AcmeServer
  /** The root of the certificates, in PEM. */
  readonly root: string
  /** The variables of a deployment with all that, and the file by which its names resolve. */
  readonly env: Readonly<Record<string, string>>
  readonly resolver: string
  /** Starts an S3 outside of the cluster; gives its variables and where its buckets are. It ends with the cloud. */
  startS3(): Promise<{ readonly env: Readonly<Record<string, string>>; readonly folder: string }>
  stop(): Promise<void>
}

/** Starts it at the node's gateway. */
export async function startCloud(kube: KubeLab): Promise<Cloud> {
  const folder = await scratchFolder('cloud')
  const balancers = startLoadBalancers(kube)
  const [account, acme] = [await startDigitalOcean(), await acmeServer(kube)]
  account.domains.set('example.com', [])
  const dns = await startDns((name) => account.addresses(name), { host: kube.gateway, port: 53 })
  const [root, { certificate }] = [await acme.root(), await labAuthority()]
  const [ca, resolver] = [join(folder, 'ca.pem'), join(folder, 'resolv.conf')]
  await writeFile(ca, certificate + root)
  await writeFile(resolver, `nameserver ${kube.gateway}\n`)
  const children: ChildProcess[] = []
  return {
    ...{ balancers, account, acme, root, resolver },
    env: {
      STOAT_TLS: 'gateway',
      STOAT_GATEWAY: 'load-balancer',
      STOAT_ACME_EMAIL: 'admin@example.com',
      STOAT_ACME_DIRECTORY_URL: acme.directory,
      STOAT_ACME_CA_FILE: ca,
      DIGITALOCEAN_TOKEN: account.token,
      DIGITALOCEAN_API_URL: account.endpoint,
      DIGITALOCEAN_NAMESERVER: dns.server,
    },
    startS3: async () => {
      const s3 = await startS3(kube.gateway, join(folder, 's3'))
      children.push(s3.child)
      return s3
    },
    stop: async () => {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all([balancers.stop(), acme.stop(), dns.stop(), account.stop()])
    },
  }
}

/** A real S3 server. Of MinIO's region, since the lab's mc knows no other. */
async function startS3(host: string, folder: string) {
  const [port, region, id, half] = [9000, 'minio', 'outsider', randomBytes(16).toString('hex')]
  await mkdir(folder)
  const server = [await versitygwProgram(), '--port', `${host}:${port}`, '--region', region, 'posix', folder]
  const [program = '', ...args] = [...tether, ...server]
  const env = { ...process.env, ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: half }
  const child = spawn(program, args, { env, stdio: 'ignore' })
  child.unref()
  const endpoint = `http://${host}:${port}`
  await until('the S3 server', 10_000, () =>
    fetch(endpoint)
      .then(() => true)
      .catch(() => undefined),
  )
  return {
    child,
    folder,
    env: {
      STOAT_S3_ENDPOINT: endpoint,
      STOAT_S3_REGION: region,
      STOAT_S3_BUCKET: 'elsewhere',
      STOAT_S3_ACCESS_KEY_ID: id,
      STOAT_S3_SECRET_ACCESS_KEY: half,
    },
  }
}
