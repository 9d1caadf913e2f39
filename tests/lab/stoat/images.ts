/**
 * The lab's Stoat platform as images: real stores and a real Caddy, and stand-ins for Stoat's own programs, all under
 * the names that the product uses.
 *
 * How to start all: `const kube = await startKube(); await startStoatImages(kube)`, then deploy. Nothing is pulled: each
 * image is on the node under its full name. A cold cache takes about five minutes on two idle cores (Caddy and versitygw
 * are built from source); a warm one takes as long as the import, about twenty seconds.
 *
 * What is real: RabbitMQ 4.0 with its management plugin (Debian's), Caddy 2.10, Redis 7. `minio` is versitygw behind
 * MinIO's command line and health paths: user and password count at each start, and data stays below its folder.
 * `mongo` is mongo-java-server on H2 behind `mongod` and `mongosh`. It enforces no unique index with a collation, has no
 * text index, TTL or transaction. `mongodump` and `mongorestore` are stand-ins that write and read the real ones' format. `LAB_MONGO_START_SECONDS` in a pod's environment makes it slow.
 *
 * Stand-ins (`go/stoat`) do what upstream's programs were seen to do, faults included; `conformance.ts` judges both.
 */
import { chmod, copyFile, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ImageConfig } from '../kube/archive.ts'
import { addLibraries, addShell, addUsers, type Image, image, redis, version } from '../kube/images.ts'
import type { KubeLab } from '../kube/kube.ts'
import { must } from '../run.ts'
import { caddyProgram, standInProgram, storesProgram, versitygwProgram } from './go-programs.ts'
import { mongodCommand, mongoPrograms } from './mongo.ts'
import { rabbitmqEnv, rabbitmqRoot } from './rabbitmq.ts'

/** Puts every image of the platform onto the node, Redis too. */
export async function startStoatImages(kube: Pick<KubeLab, 'importImage'>): Promise<void> {
  for (const make of [redis, caddy, minio, minioClient, mongo, rabbitmq, standIns]) await kube.importImage(await make())
}

/** Caddy as its real image has it: its file may bind ports below 1024, and starts only where that is allowed. */
export async function caddy(): Promise<Image> {
  const program = await caddyProgram()
  const config: ImageConfig = {
    Cmd: ['caddy', 'run', '--config', '/etc/caddy/Caddyfile', '--adapter', 'caddyfile'],
    Env: ['PATH=/usr/bin:/bin', 'XDG_CONFIG_HOME=/config', 'XDG_DATA_HOME=/data'],
    WorkingDir: '/srv',
  }
  return image({
    name: 'public.ecr.aws/docker/library/caddy:2',
    config,
    from: [program, await version('busybox-static')],
    fill: async (root) => {
      await withShell(root, [])
      await mkdir(join(root, 'usr/bin'), { recursive: true })
      await copyFile(program, join(root, 'usr/bin/caddy'))
      await allowLowPorts(join(root, 'usr/bin/caddy'))
      for (const folder of ['etc/caddy', 'config', 'data', 'srv']) await mkdir(join(root, folder), { recursive: true })
      await writeFile(join(root, 'etc/caddy/Caddyfile'), ':80 {\n\trespond "Caddy works!"\n}\n')
    },
  })
}

const minioRelease = 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z'
const clientRelease = 'quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z'

/** An S3 server with MinIO's command line and health paths. */
export async function minio(): Promise<Image> {
  const [stores, gateway] = [await storesProgram(), await versitygwProgram()]
  return image({
    name: minioRelease,
    config: { Entrypoint: ['minio'], Cmd: ['server', '/data'], Env: ['PATH=/bin'] },
    from: [stores, gateway, await version('busybox-static')],
    fill: async (root) => {
      await withShell(root, [])
      await copyFile(gateway, join(root, 'bin/versitygw'))
      for (const name of ['minio', 'mc']) await copyFile(stores, join(root, 'bin', name))
      await mkdir(join(root, 'data'))
    },
  })
}

/** The client of the file store, with a shell as the real image has it. */
export async function minioClient(): Promise<Image> {
  const stores = await storesProgram()
  return image({
    name: clientRelease,
    config: { Entrypoint: ['mc'], Env: ['PATH=/bin'] },
    from: [stores, await version('busybox-static')],
    fill: async (root) => {
      await withShell(root, [])
      await copyFile(stores, join(root, 'bin/mc'))
    },
  })
}

// As the real image: without an address of its own it listens on all.
const mongoEntrypoint = `#!/bin/sh
[ "$1" = mongod ] && shift
case " $* " in *" --bind_ip"*) ;; *) set -- "$@" --bind_ip_all ;; esac
exec mongod "$@"
`

/** A server that speaks MongoDB's protocol, as user 999 in /data/db. */
export async function mongo(): Promise<Image> {
  const [programs, stores] = [await mongoPrograms(), await storesProgram()]
  const config: ImageConfig = {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['mongod'],
    Env: ['PATH=/bin', 'HOME=/data/db'],
  }
  const names = ['mongo:7', 'mongo:7.0'].map((name) => `public.ecr.aws/docker/library/${name}`)
  const [name = '', ...others] = names
  return image({
    name,
    config,
    others: Object.fromEntries(others.map((other) => [other, config])),
    from: [programs, stores, mongoEntrypoint, mongodCommand('/opt/mongo'), await version('busybox-static')],
    fill: async (root) => {
      await withShell(root, ['mongodb:x:999:999::/data/db:/bin/sh'])
      await cp(programs, join(root, 'opt/mongo'), { recursive: true, verbatimSymlinks: true })
      const runtime = join(programs, 'runtime')
      const libraries = (await readdir(join(runtime, 'lib'))).filter((file) => file.endsWith('.so'))
      for (const file of ['bin/java', ...libraries.map((name) => `lib/${name}`)])
        await addLibraries(root, join(runtime, file), runtime)
      for (const name of ['mongosh', 'mongodump', 'mongorestore']) await copyFile(stores, join(root, 'bin', name))
      await script(root, 'bin/mongod', `#!/bin/sh\nexec ${mongodCommand('/opt/mongo').join(' ')} "$@"\n`)
      await script(root, 'bin/docker-entrypoint.sh', mongoEntrypoint)
      await must('install', ['-d', '-o', '999', '-g', '999', join(root, 'data/db')])
    },
  })
}

/** The real broker on its Debian, with bash and curl's absence as in the real image. */
export async function rabbitmq(): Promise<Image> {
  const from = await rabbitmqRoot()
  const config: ImageConfig = {
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['rabbitmq-server'],
    Env: Object.entries(rabbitmqEnv).map(([name, value]) => `${name}=${value}`),
  }
  const [name, another] = ['4.2-management', '4-management'].map(
    (tag) => `public.ecr.aws/docker/library/rabbitmq:${tag}`,
  )
  return image({
    name: name ?? '',
    config,
    others: { [another ?? '']: config },
    from,
    fill: (root) => must('cp', ['-a', `${from}/.`, root]),
  })
}

/** Names of upstream's images by release, in the order of `modes`. */
const modes = ['api', 'events', 'autumn', 'january', 'gifbox', 'crond', 'pushd'] as const
const originals = ['server', 'bonfire', 'autumn', 'january', 'gifbox', 'crond', 'pushd']
const successors = ['api', 'events', 'file-server', 'proxy', 'gifbox', 'crond', 'pushd']
const releases = [
  { owner: 'revoltchat', names: originals, tag: '20250930-2', web: 'client:master', revision: 48, version: '0.8.8' },
  { owner: 'stoatchat', names: successors, tag: 'v0.13.8', web: 'for-web:746bee5', revision: 50, version: '0.13.7' },
  { owner: 'stoatchat', names: successors, tag: 'v0.15.1', web: 'for-web:746bee5', revision: 52, version: '0.15.1' },
] as const

/** Every one of upstream's images of the three releases, all of one layer: the stand-ins differ by how they start. */
export async function standIns(): Promise<Image> {
  const program = await standInProgram()
  const all: Record<string, ImageConfig> = {}
  for (const { owner, names, tag, web, revision, version: number } of releases) {
    const env = [`LAB_REVISION=${revision}`, `LAB_VERSION=${number}`]
    if (owner === 'revoltchat') env.push('LAB_FAULT_ROLES=1')
    for (const [index, mode] of modes.entries()) {
      const started = { Entrypoint: ['/stoat', mode], Env: env, User: '65532:65532', WorkingDir: '/home/nonroot' }
      all[`ghcr.io/${owner}/${names[index]}:${tag}`] = started
    }
    all[`ghcr.io/${owner}/${web}`] = { Entrypoint: ['/stoat', 'web'], WorkingDir: '/usr/src/app' }
  }
  const [[name = '', config = {}] = [], ...others] = Object.entries(all)
  return image({
    name,
    config,
    others: Object.fromEntries(others),
    from: program,
    fill: async (root) => {
      await copyFile(program, join(root, 'stoat'))
      await mkdir(join(root, 'usr/src/app'), { recursive: true })
      await must('install', ['-d', '-o', '65532', '-g', '65532', '-m', '0700', join(root, 'home/nonroot')])
      await mkdir(join(root, 'tmp'))
      await chmod(join(root, 'tmp'), 0o1777)
    },
  })
}

async function withShell(root: string, users: readonly string[]): Promise<void> {
  await addShell(root)
  await addUsers(root, users)
  await symlink('bin', join(root, 'sbin'))
}

async function script(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
  await chmod(join(root, path), 0o755)
}

// cap_net_bind_service, permitted and effective, as setcap would write it.
const capability =
  'import os, struct, sys; os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))'

const allowLowPorts = (file: string): Promise<string> => must('python3', ['-c', capability, file])
