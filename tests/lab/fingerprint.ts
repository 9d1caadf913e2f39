import { join } from 'node:path'
import { must } from './run.ts'

/** Every path of a host (and every object of its databases), with what tells it from another. */
export type Fingerprint = ReadonlyMap<string, string>

// Not the host's state: virtual, or written by merely being up.
const skipped = ['proc', 'sys', 'run', 'tmp', 'dev', 'var/tmp', 'var/log/journal', 'var/lib/systemd/timers']

// Kept as paths with their owner and mode; what is in them changes by itself.
const changesByItself = [
  /^var\/log\/(wtmp|btmp|lastlog|wtmp\.db|auth\.log|syslog|kern\.log|ufw\.log|fail2ban\.log|sysstat\/.*)$/,
  /^var\/log\/(nginx|postgresql|matrix-synapse)\/.*$/,
  /^var\/log\/unattended-upgrades\/unattended-upgrades-shutdown\.log$/,
  /^var\/lib\/(lastlog|wtmpdb)\/.*$/,
  /^var\/lib\/systemd\/(random-seed|timesync\/clock)$/,
  /^var\/lib\/fail2ban\/.*\.sqlite3(-journal|-wal|-shm)?$/,
  /^var\/lib\/(apt|dpkg)\/(.*\/)?lock(-frontend)?$/,
  /^var\/cache\/apt\/archives\/lock$/,
]

// Told by size alone: big, and apt checks their content itself.
const bySize = /^var\/cache\/apt\/archives\/.*\.deb$/

// The database's own files move while nothing is written; its dump stands for them.
const database = /^var\/lib\/postgresql\/\d+\/[^/]+\//

type Row = {
  readonly path: string
  readonly type: string
  readonly mode: string
  readonly owner: string
  readonly size: string
  readonly target: string
  readonly identity: string
}

// Content by inode, size and change time, which no one can set: a second reading hashes only what was written.
const known = new Map<string, string>()

/** Reads the whole file system under `root`. */
export async function fingerprintFiles(root: string): Promise<Map<string, string>> {
  const rows = await listFiles(root)
  await hashContents(
    root,
    rows.filter((row) => row.type === 'f' && !isChangingByItself(row.path) && !bySize.test(row.path)),
  )
  const prints = new Map<string, string>()
  for (const row of rows) {
    const base = `${row.type} ${row.mode} ${row.owner}`
    if (row.type === 'l') prints.set(row.path, `${base} -> ${row.target}`)
    else if (row.type !== 'f' || isChangingByItself(row.path)) prints.set(row.path, base)
    else if (bySize.test(row.path)) prints.set(row.path, `${base} ${row.size}`)
    else prints.set(row.path, `${base} ${row.size} ${known.get(row.identity) ?? 'gone'}`)
  }
  return prints
}

const isChangingByItself = (path: string): boolean => changesByItself.some((pattern) => pattern.test(path))

async function listFiles(root: string): Promise<readonly Row[]> {
  const prune = skipped.flatMap((path, index) => [...(index === 0 ? [] : ['-o']), '-path', join(root, path)])
  const format = '%P\\0%y\\0%m\\0%U:%G\\0%s\\0%l\\0%i %s %C@ %T@\\0'
  const output = await must('find', [root, '(', ...prune, ')', '-prune', '-o', '-printf', format])
  const fields = output.split('\0')
  const rows: Row[] = []
  for (let at = 0; at + 6 < fields.length; at += 7) {
    const [path = '', type = '', mode = '', owner = '', size = '', target = '', identity = ''] = fields.slice(
      at,
      at + 7,
    )
    if (!database.test(path)) rows.push({ path, type, mode, owner, size, target, identity: `${path} ${identity}` })
  }
  return rows
}

async function hashContents(root: string, rows: readonly Row[]): Promise<void> {
  const fresh = rows.filter((row) => !known.has(row.identity))
  if (fresh.length === 0) return
  // Two at a time, each with an output of its own: lines of two writers in one pipe would mix.
  const half = Math.ceil(fresh.length / 2)
  const shares = [fresh.slice(0, half), fresh.slice(half)]
  await Promise.all(
    shares.map(async (share) => {
      const input = share.map((row) => `./${row.path}\0`).join('')
      // A file may vanish between the two readings (a rotated log): that is not a failure.
      const script = 'xargs -0 -r sha256sum --zero -- 2>/dev/null || true'
      const sums = await must('sh', ['-c', script], { input, cwd: root })
      const byPath = new Map(sums.split('\0').map((line) => [line.slice(68), line.slice(0, 64)]))
      for (const row of share) {
        const sum = byPath.get(row.path)
        if (sum !== undefined) known.set(row.identity, sum)
      }
    }),
  )
}

// Differs each time, or stands where the first or last object happens to be.
const noise = /^\\(un)?restrict |^-- (Started|Completed) on |^-- PostgreSQL database |^SET default_table|^--$|^$/

// Where Synapse keeps count by itself, for minutes after somebody spoke: named, but what is in them changes.
const counting =
  /^Data for Name: (event_push_\w+|presence_stream|stream_positions|stream_ordering_to_exterm|scheduled_tasks|user_ips|user_daily_visits|devices);/

/** Takes the dump of all databases apart, one entry per object, without the lines that differ each time. */
export function fingerprintDump(dump: string): Map<string, string> {
  const prints = new Map<string, string>()
  let [place, object] = ['cluster', '']
  for (const line of dump.split('\n')) {
    if (noise.test(line)) continue
    const connect = /^\\connect (.*)$/.exec(line)
    if (connect?.[1] !== undefined) [place, object] = [connect[1], '']
    const name = /^-- (?:Data for )?Name: (.*)$/.exec(line)
    if (name?.[1] !== undefined) object = line.slice(3)
    const key = `postgresql:${place}:${object}`
    prints.set(key, counting.test(object) ? '' : `${prints.get(key) ?? ''}${line}\n`)
  }
  return prints
}

/** What differs between two readings: `+` new, `-` gone, `~` changed; empty when nothing was written. */
export function diffFingerprints(before: Fingerprint, after: Fingerprint): string[] {
  const lines: string[] = []
  for (const [path, print] of after) {
    const old = before.get(path)
    if (old === undefined) lines.push(`+ ${path}: ${print}`)
    else if (old !== print) lines.push(`~ ${path}: ${old} => ${print}`)
  }
  for (const [path, print] of before) if (!after.has(path)) lines.push(`- ${path}: ${print}`)
  return lines.map((line) => line.slice(0, 1000)).sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))
}
