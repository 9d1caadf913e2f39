import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** The Debian archives this machine uses: a lab host uses the same. */
export type Mirrors = { readonly archive: string; readonly security: string }

/**
 * Reads the mirrors from `apt-get indextargets` lines `URI SUITE` (it knows both formats of apt's sources); where the
 * machine is not Debian, `own` names the archive and the security archive is its neighbour. Throws where neither helps.
 */
export function parseMirrors(targets: string, own = process.env.LAB_MIRROR): Mirrors {
  const rows = targets.split('\n').map((line) => line.trim().replace(/\/ /, ' ').split(' '))
  const find = (path: RegExp) => rows.find(([uri]) => uri !== undefined && /^https?:/.test(uri) && path.test(uri))?.[0]
  const archive = own?.replace(/\/$/, '') ?? find(/\/debian$/)
  if (!archive) throw new Error('lab: this machine is not Debian: set LAB_MIRROR to a mirror, http://HOST/debian')
  return { archive, security: (own ? undefined : find(/\/debian-security$/)) ?? `${archive}-security` }
}

/** The mirrors from the machine's apt configuration, or from `LAB_MIRROR`. */
export async function mirrors(): Promise<Mirrors> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'])
  return parseMirrors(targets.code === 0 ? targets.stdout : '')
}

/** How the machine's apt reaches its mirrors (proxy, clock checks): apt lines for the lab host. */
export async function aptAccess(): Promise<string> {
  const dump = await run('apt-config', ['dump'])
  const wanted = /^Acquire::(https?::Proxy|Check-Date|Check-Valid-Until)\b.*"[^"]+";$/i
  return dump.stdout
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => `${line}\n`)
    .join('')
}

/** Certificate authorities that were added to this machine, by file name. */
export async function addedAuthorities(): Promise<Readonly<Record<string, string>>> {
  const folder = '/usr/local/share/ca-certificates'
  const names = existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith('.crt')).sort() : []
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  )
}

/** A resolv.conf that works in another network namespace: never the machine's own loopback resolver. */
export async function resolvers(): Promise<string> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    if (!existsSync(file)) continue
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /^nameserver (?!127\.|::1)/.test(line))
    if (lines.length > 0) return `${lines.join('\n')}\n`
  }
  throw new Error('lab: this machine resolves names only through its own loopback; a lab host needs a real nameserver')
}
