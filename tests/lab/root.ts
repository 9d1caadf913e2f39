import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { addedAuthorities, aptAccess, mirrors } from './machine.ts'
import { must, tether } from './run.ts'

export type Release = 'trixie' | 'bookworm'

// A bare host like a fresh droplet: sshd runs, sudo is there, Python is not.
const packages = 'systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,iproute2,procps,ca-certificates,openssl,sudo'

// Timers that would take apt's lock or write in the middle of a test: still enabled and active, but far away.
const quietTimers = ['apt-daily', 'apt-daily-upgrade', 'dpkg-db-backup', 'logrotate', 'man-db', 'certbot']
const quiet = '[Timer]\nOnCalendar=\nOnBootSec=\nOnActiveSec=52w\nPersistent=false\nRandomizedDelaySec=0\n'

/** The root file system of a bare Debian host, made by debootstrap once (about a minute), read-only from then on. */
export async function debianRoot(release: Release): Promise<string> {
  const from = await mirrors()
  const authorities = await addedAuthorities()
  const access = await aptAccess()
  const recipe = { version: 1, release, packages, from, authorities, access, quietTimers, quiet }
  return cached('roots', recipe, async (root) => {
    // Namespaces of its own: an interrupted one leaves no process and no mount.
    const [program, ...apart] = [...tether, 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
    const options = ['--variant=minbase', `--include=${packages}`]
    await must(program, [...apart, 'debootstrap', ...options, release, root, from.archive])
    await writeFile(join(root, 'etc/apt/apt.conf.d/90lab'), aptConfiguration(access))
    await rm(join(root, 'etc/apt/sources.list'), { force: true })
    await writeFile(join(root, 'etc/apt/sources.list.d/debian.sources'), aptSources(release, from))
    for (const [name, text] of Object.entries(authorities))
      await writeFile(join(root, 'usr/local/share/ca-certificates', name), text)
    await must('chroot', [root, 'update-ca-certificates'])
    for (const timer of quietTimers) {
      const folder = join(root, `usr/lib/systemd/system/${timer}.timer.d`)
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'lab.conf'), quiet)
    }
    await makeAnonymous(root)
    await chmod(root, 0o755)
  })
}

// Each host makes these for itself.
async function makeAnonymous(root: string): Promise<void> {
  const ssh = join(root, 'etc/ssh')
  for (const name of await readdir(ssh)) if (name.startsWith('ssh_host_')) await rm(join(ssh, name))
  for (const name of ['etc/machine-id', 'etc/hostname', 'etc/resolv.conf', 'var/lib/dbus/machine-id'])
    await rm(join(root, name), { force: true })
  await must('chroot', [root, 'apt-get', 'clean'])
  await must('find', [join(root, 'var/lib/apt/lists'), '-type', 'f', '-delete'])
  // Marks the root as booted before: otherwise systemd rebuilds caches at each host's first boot.
  for (const name of ['etc/.updated', 'var/.updated']) await writeFile(join(root, name), '')
}

function aptSources(release: Release, from: { readonly archive: string; readonly security: string }): string {
  const signed = 'Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
  return [
    `Types: deb\nURIs: ${from.archive}\nSuites: ${release} ${release}-updates\n${signed}`,
    `Types: deb\nURIs: ${from.security}\nSuites: ${release}-security\n${signed}`,
  ].join('\n')
}

// Downloads stay in the archives folder, from where the next host gets them.
const aptConfiguration = (access: string): string =>
  `APT::Keep-Downloaded-Packages "true";\nBinary::apt::APT::Keep-Downloaded-Packages "true";\n${access}`
