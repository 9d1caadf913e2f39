import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../run.ts'
import { storesProgram, versitygwProgram } from './go-programs.ts'
import { mongodCommand, mongoPrograms } from './mongo.ts'
import { rabbitmqEnv, rabbitmqRoot } from './rabbitmq.ts'
import { type Settings, storeUser } from './settings.ts'

export type StoreName = 'mongo' | 'redis' | 'rabbitmq' | 's3'

/** How a store is started as a process, and where it listens when it is ready. */
export type StorePlan = {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly port: number
  /** Takes all of its data away, while it does not run. */
  wipe(): Promise<void>
}

// The broker in a root of its own: its own copy of the image's files, which only it sees mounted. The shell stays: a
// process that changes its user would no longer end with its parent.
const rabbitmqScript = `set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
chroot "$2/root" docker-entrypoint.sh rabbitmq-server
exit $?`

/** All stores with their data below `folder`. */
export async function planStores(folder: string, settings: Settings): Promise<Record<StoreName, StorePlan>> {
  const [java, stores, gateway, root] = [
    await mongoPrograms(),
    await storesProgram(),
    await versitygwProgram(),
    await rabbitmqRoot(),
  ]
  const place = async (name: string, ...inside: readonly string[]) => {
    for (const each of ['', ...inside]) await mkdir(join(folder, name, each), { recursive: true })
    return join(folder, name)
  }
  const emptied = (name: string, ...inside: readonly string[]) => ({
    wipe: async () => {
      await must('rm', ['-rf', '--one-file-system', join(folder, name)])
      await place(name, ...inside)
    },
  })
  const bin = await place('bin')
  await symlink('/usr/bin/redis-check-rdb', join(bin, 'redis-server'))
  for (const name of ['minio', 'mc']) await symlink(stores, join(bin, name))
  const broker = await place('rabbitmq', 'upper/etc', 'work', 'root')
  const hosts = () => writeFile(join(broker, 'upper/etc/hosts'), '127.0.0.1 localhost\n')
  await hosts()
  const rooms = ['upper/etc', 'work', 'root']
  const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private']
  return {
    mongo: {
      command: [...mongodCommand(java), '--dbpath', await place('mongo'), '--bind_ip_all'],
      env: {},
      port: 27017,
      ...emptied('mongo'),
    },
    redis: {
      command: [join(bin, 'redis-server'), '--save', '', '--dir', await place('redis'), '--protected-mode', 'no'],
      env: {},
      port: 6379,
      ...emptied('redis'),
    },
    rabbitmq: {
      command: [...apart, 'sh', '-c', rabbitmqScript, 'sh', root, broker],
      env: {
        ...rabbitmqEnv,
        RABBITMQ_NODENAME: 'rabbit@localhost',
        RABBITMQ_DEFAULT_USER: storeUser,
        RABBITMQ_DEFAULT_PASS: settings.rabbitPassword,
      },
      port: 5672,
      wipe: async () => {
        await emptied('rabbitmq', ...rooms).wipe()
        await hosts()
      },
    },
    s3: {
      command: [join(bin, 'minio'), 'server', await place('s3'), '--console-address', ':9001'],
      env: { LAB_VERSITYGW: gateway, MINIO_ROOT_USER: storeUser, MINIO_ROOT_PASSWORD: settings.s3Secret },
      port: 9000,
      ...emptied('s3'),
    },
  }
}

/** The client of the file store for the plain platform, and what it finds the store by. */
export const bucketCommand = (folder: string, { s3Secret }: Settings) => ({
  command: [join(folder, 'bin/mc'), 'mb', '--ignore-existing', 'lab/revolt-uploads'],
  env: { MC_HOST_lab: `http://${storeUser}:${s3Secret}@127.0.0.1:9000`, HOME: folder },
})

/** Takes the folder of the stores away. */
export const removeStores = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
