import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabHost } from './host.ts'

/** A secret, and the texts that would give it away. */
export type Marks = ReadonlyMap<string, readonly string[]>

/** Each secret by its name, in the forms in which it might turn up: as it is, quoted, and encoded. */
export function marksOf(secrets: Readonly<Record<string, string>>): Marks {
  return new Map(
    Object.entries(secrets).map(([name, value]) => [
      name,
      [...new Set(value.includes('\n') ? lines(value) : forms(value))],
    ]),
  )
}

function forms(value: string): string[] {
  const shifted = [0, 1, 2].map((shift) => {
    // The part of the base64 of a text around it that does not depend on that text.
    const encoded = Buffer.from(' '.repeat(shift) + value).toString('base64')
    return encoded.slice(shift === 0 ? 0 : 4, -4)
  })
  return [
    value,
    ...shifted,
    Buffer.from(value).toString('base64url').slice(0, -4),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("'", "''"),
    value.replaceAll("'", `'\\''`),
  ]
}

// What stands before is the same in every OpenSSH key, or public.
const lines = (key: string) => key.trim().split('\n').slice(3, -1)

/** The names of the secrets that a text gives away. */
export function leaks(text: string, marks: Marks): string[] {
  return [...marks].filter(([, found]) => found.some((mark) => text.includes(mark))).map(([name]) => name)
}

// Valence takes its settings from its environment and from nowhere else (vkb.env); its own user and root may see that.
const settled = 'valence.substrate.mcp_server'

/**
 * Watches the arguments and the environment of every process on both sides: this machine sees those of its hosts. Not
 * those of suites and hosts that run beside: they may have good reason to give the same secrets to a program. Pods are given
 * Secrets in their environment: `pods` leaves out that of processes which are numbered by themselves.
 */
export function watchProcesses({ pods = false } = {}): { stop(): string[] } {
  const here = numbering(process.pid)
  const seen = new Set<string>()
  const look = () => {
    const isOfOthers = ownership()
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue
      try {
        if (isOfOthers(Number(pid))) continue
        const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ')
        // In this order: a process may become another in between.
        const [environment, words] = [read('environ'), read('cmdline')]
        seen.add(words)
        // Without words it has ended since: nobody can tell any more whose environment that was.
        if (words === '' || words.includes(settled)) continue
        if (!pods || numbering(Number(pid)) === here) seen.add(environment)
      } catch {
        // It has ended.
      }
    }
  }
  const clock = setInterval(look, 40)
  return {
    stop() {
      clearInterval(clock)
      return [...seen]
    },
  }
}

// Each suite is a process of one parent, and its hosts and all that they run are below it. A host of another run may be
// below nobody: its processes are numbered by themselves.
function ownership(): (pid: number) => boolean {
  const known = new Map<number, 'us' | 'others' | undefined>([[process.pid, 'us']])
  const ownerOf = (pid: number) => {
    if (!known.has(pid)) {
      const above = parentOf(pid)
      known.set(pid, above === process.ppid ? 'others' : above > 1 ? ownerOf(above) : undefined)
    }
    return known.get(pid)
  }
  const here = numbering(process.pid)
  return (pid) => (ownerOf(pid) ?? (numbering(pid) === here ? 'us' : 'others')) === 'others'
}

const numbering = (pid: number) => readlinkSync(`/proc/${pid}/ns/pid`)

// Field 4; the name in field 2 may hold blanks and parentheses.
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[1])
}

/** The secrets that files below a folder of this machine give away, by file. */
export async function leaksBelow(folder: string, marks: Marks): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    for (const name of leaks(await readFile(path, 'utf8'), marks)) found.push(`${path}: ${name}`)
  }
  return found
}

// Where nobody but root may look, and a secret still has no business.
const forbidden =
  '/tmp /var/tmp /run /root /home /var/lib/infra /var/log /var/lib/postgresql /opt/valence/repo /recorded'

// What a deployment replaced is kept for root alone: somebody's own lines may have been in it.
const copies = "-path '/var/lib/infra/previous/*' -user root -perm 600"

// Root's, and readable by the user that Synapse runs as: the one file where its secrets are.
const homeserver = '-path /etc/matrix-synapse/homeserver.yaml -user root -group matrix-synapse -perm 640'

/** The files of a host that give a secret away: what others may read, what runs leave behind, the journal. */
export async function leaksOn(host: LabHost, marks: Marks): Promise<string[]> {
  const patterns = [...marks.values()].flat().join('\n')
  const script = `export LC_ALL=C
umask 077
cat >/dev/shm/marks <<'MARKS'
${patterns}
MARKS
look() { xargs -0 -r grep -aFl -f /dev/shm/marks; }
find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o ${homeserver} -o -type f -perm /044 -print0 | look
find ${forbidden} ${copies} -o -type f -print0 2>/dev/null | look
journalctl -q --no-pager -a -o export | grep -aF -f /dev/shm/marks | head -n 5 | cut -c 1-300
rm /dev/shm/marks`
  const { stdout, stderr } = await host.exec(script)
  const trouble = stderr.split('\n').filter((line) => line !== '' && !/No such file/.test(line))
  return [...new Set([...stdout.split('\n').filter(Boolean), ...trouble])]
}

/** Has the host write down how these programs are called, by whom, and in what environment: in /recorded. */
export async function recordCalls(host: LabHost, programs: readonly string[]): Promise<void> {
  const { code, stderr } = await host.exec(`set -e
mkdir -p /recorded
chmod 1777 /recorded
for name in ${programs.join(' ')}; do
  real=$(command -v "$name")
  printf '#!/bin/sh\\n{ echo "%s $*"; env; } >>"/recorded/%s.$(id -u)"\\nexec %s "$@"\\n' "$name" "$name" "$real" >"/usr/local/sbin/$name"
  chmod 755 "/usr/local/sbin/$name"
done`)
  if (code !== 0) throw new Error(`the programs cannot be recorded: ${stderr}`)
}
