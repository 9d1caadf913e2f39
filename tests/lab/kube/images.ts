import { chmod, copyFile, mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../cache.ts'
import { motoFolder } from '../moto.ts'
import { debianRoot } from '../root.ts'
import { must, run } from '../run.ts'
import { type ImageConfig, packImages } from './archive.ts'
import { pauseImage } from './node-settings.ts'
import { kubePrograms } from './programs.ts'

/** An image in a file, under a full name. */
export type Image = { readonly archive: string; readonly name: string }

type Recipe = {
  readonly name: string
  readonly config: ImageConfig
  /** Images of the same files under other names, which start otherwise. */
  readonly others?: Readonly<Record<string, ImageConfig>>
  /** What the content depends on. */
  readonly from: unknown
  fill(root: string): Promise<unknown>
}

/** Makes an image once for each recipe. `fill` puts its files into an empty folder. */
export async function image({ name, config, others = {}, from, fill }: Recipe): Promise<Image> {
  const folder = await cached('images', { version: 2, name, config, others, from }, async (to) => {
    const root = join(to, 'root')
    await mkdir(root, { mode: 0o755 })
    await fill(root)
    const all = Object.entries({ [name]: config, ...others }).map(([as, how]) => ({ name: as, config: how }))
    await packImages(root, join(to, 'image.tar'), all)
    await must('rm', ['-rf', root])
  })
  return { archive: join(folder, 'image.tar'), name }
}

/** The image of every pod's own container. */
export async function pause(): Promise<Image> {
  const source = fileURLToPath(new URL('images/pause.c', import.meta.url))
  return image({
    name: pauseImage,
    config: { Entrypoint: ['/pause'] },
    from: await readFile(source, 'utf8'),
    fill: (root) => must('gcc', ['-static', '-Os', '-s', '-o', join(root, 'pause'), source]),
  })
}

/** A shell with the usual tools: what a test runs in a pod. As root, unless the pod says otherwise. */
export async function busybox(): Promise<Image> {
  return image({
    name: 'docker.io/library/busybox:1',
    config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
    from: await version('busybox-static'),
    fill: async (root) => {
      await addShell(root)
      await addUsers(root, [])
    },
  })
}

/** Debian's redis-server with its libraries, as user 999 in `/data`, its own probes' redis-cli beside it. */
export async function redis(): Promise<Image> {
  // Debian has the server's program in redis-tools, under another name.
  const programs = { 'redis-server': '/usr/bin/redis-check-rdb', 'redis-cli': '/usr/bin/redis-cli' }
  return image({
    name: 'docker.io/library/redis:7',
    config: { Cmd: ['redis-server'], Env: ['PATH=/bin'], User: '999:999', WorkingDir: '/data' },
    from: [await version('redis-tools'), await version('busybox-static')],
    fill: async (root) => {
      await addShell(root)
      await addUsers(root, ['redis:x:999:999::/data:/bin/sh'])
      for (const [as, program] of Object.entries(programs)) await addProgram(root, program, join('bin', as))
      await must('install', ['-d', '-o', '999', '-g', '999', join(root, 'data')])
    },
  })
}

/** A shell with git, that waits: the sandbox where what its own Dockerfile brings does not matter. As user 1000. */
export async function shellWithGit(): Promise<Image> {
  return image({
    name: 'docker.io/library/shell-with-git:1',
    config: { Cmd: ['sleep', '1000000'], Env: ['PATH=/bin'], User: '1000:1000', WorkingDir: '/workspaces' },
    from: [await version('git'), await version('busybox-static')],
    fill: async (root) => {
      await addShell(root)
      await addUsers(root, ['sandbox:x:1000:1000::/workspaces:/bin/sh'])
      await addProgram(root, '/usr/bin/git', 'bin/git')
      await must('install', ['-d', '-o', '1000', '-g', '1000', join(root, 'workspaces')])
    },
  })
}

const awsPackages =
  'awscli botocore colorama dateutil docutils jmespath pyasn1 rsa s3transfer six.py urllib3 yaml'.split(' ')

/** A shell with kubectl and the aws CLI of moto's environment, on this machine's python. */
export async function shellWithAws(): Promise<Image> {
  const [{ kubernetes }, moto] = [await kubePrograms(), await motoFolder()]
  const ask = 'import sys, sysconfig; print(sys._base_executable, sysconfig.get_path("stdlib"), sys.base_prefix)'
  const [python = '', library = '', home = ''] = (await must(join(moto, 'bin/python'), ['-c', ask])).trim().split(' ')
  return image({
    name: 'docker.io/library/shell-with-aws:1',
    config: {
      Cmd: ['sh'],
      Env: ['PATH=/bin', 'PYTHONPATH=/packages', `PYTHONHOME=${home}`, 'PYTHONDONTWRITEBYTECODE=1'],
    },
    from: [kubernetes, moto, python, awsPackages, await version('busybox-static')],
    fill: async (root) => {
      await addShell(root)
      await addUsers(root, ['nobody-else:x:1000:1000::/tmp:/bin/sh'])
      await copyFile(join(kubernetes, 'kubectl'), join(root, 'bin/kubectl'))
      await addProgram(root, await realpath(python), python)
      const modules = join(library, 'lib-dynload')
      for (const name of await readdir(modules)) await addLibraries(root, join(modules, name))
      const packages = join(moto, 'lib', basename(library), 'site-packages')
      // Without what would make it several times as large.
      const leave = ['test', 'site-packages', '__pycache__', 'ensurepip', 'idlelib', 'examples', 'config-*']
      const copy = async (from: string, to: string, words: readonly string[]) => {
        await mkdir(to, { recursive: true })
        await must('sh', ['-c', `tar -C "$1" -cf - ${words.join(' ')} | tar -C "$2" -x`, 'sh', from, to])
      }
      const without = leave.map((name) => `--exclude='${name}'`)
      await copy(library, join(root, library), [...without, '.'])
      await copy(packages, join(root, 'packages'), [...without, ...awsPackages])
      await writeFile(join(root, 'bin/aws'), `#!/bin/sh\nexec ${python} -m awscli "$@"\n`, { mode: 0o755 })
    },
  })
}

/** The lab's bare Debian with its apt and mirrors: a base for real Dockerfiles, to be put into `Registry.addBase`. */
export async function debian(): Promise<Image> {
  const from = await debianRoot('trixie')
  return image({
    name: 'docker.io/library/debian:trixie-slim',
    config: { Cmd: ['bash'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    from,
    fill: (root) => must('cp', ['-a', `${from}/.`, root]),
  })
}

/** The version of a Debian package of this machine. */
export const version = (name: string): Promise<string> => must('dpkg-query', ['--show', name])

/** Puts a shell with the usual tools into `/bin`, and a `/tmp`. */
export async function addShell(root: string): Promise<void> {
  await mkdir(join(root, 'bin'))
  await addProgram(root, '/bin/busybox', 'bin/busybox')
  const tools = (await must('/bin/busybox', ['--list'])).split('\n').filter((name) => name && name !== 'busybox')
  for (const name of tools) await symlink('busybox', join(root, 'bin', name))
  await mkdir(join(root, 'tmp'))
  await chmod(join(root, 'tmp'), 0o1777)
}

/** Writes the users of an image: root, nobody and these lines of passwd. */
export async function addUsers(root: string, more: readonly string[]): Promise<void> {
  const rows = ['root:x:0:0:root:/root:/bin/sh', 'nobody:x:65534:65534:nobody:/:/bin/false', ...more]
  await mkdir(join(root, 'etc'), { recursive: true })
  await writeFile(join(root, 'etc/passwd'), `${rows.join('\n')}\n`)
  const groups = rows.map((row) => row.split(':')).map(([name, , , group]) => `${name}:x:${group}:`)
  await writeFile(join(root, 'etc/group'), `${groups.join('\n')}\n`)
}

/** Copies the libraries that the machine would load for a program, each to its own path, but for those below `except`. */
export async function addLibraries(root: string, program: string, except?: string): Promise<void> {
  for (const path of await librariesOf(program))
    if (except === undefined || !path.startsWith(`${except}/`)) await addFile(root, path)
}

// A program and the libraries that the machine would load for it, each at its own path.
async function addProgram(root: string, program: string, as: string): Promise<void> {
  await addFile(root, program, as)
  await addLibraries(root, program)
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [program])
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
}

async function addFile(root: string, path: string, as = path): Promise<void> {
  await mkdir(dirname(join(root, as)), { recursive: true })
  await copyFile(path, join(root, as))
}
