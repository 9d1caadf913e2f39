import { normalize } from 'node:path'
import { onHost } from './backup-drill.ts'
import type { LabHost } from './host.ts'

/** A call of root's that followed a name in a folder of another account. */
export interface Followed {
  readonly program: string
  readonly call: string
  readonly path: string
  /** The account whose folder the name is in. */
  readonly owner: string
}

const traced = '%file,fchdir,clone,clone3,fork,vfork,setuid,setreuid,setresuid'

// The last name of its path is not followed by these (their manual pages), or with these flags.
const leaves =
  /^(lstat|readlink|readlinkat|unlink|unlinkat|rmdir|rename|renameat|renameat2|symlink|symlinkat|link|linkat|mkdir|mkdirat|mknod|mknodat|lchown|lgetxattr|llistxattr|lsetxattr|lremovexattr)$/
const flagged = /AT_SYMLINK_NOFOLLOW|O_NOFOLLOW|O_EXCL/

const born = /^(\d+) +(?:clone3?\(|v?fork\(|<\.\.\. (?:clone3?|v?fork) resumed>).* = (\d+)$/gm

interface Process {
  uid: number
  cwd: string
  program: string
}

const traces = '/run/lab-traces'
/** The shell that traces itself and whatever it starts; root's own while work is traced. */
export const tracedShell = '/usr/local/sbin/traced-shell'

// A shell that is traced from its start, with a filter in the kernel: to attach to sshd stops every system call there is.
const install = `[ -x ${tracedShell} ] || { DEBIAN_FRONTEND=noninteractive apt-get -qq install -y strace >/dev/null
cat >${tracedShell} <<'END'
#!/bin/sh
exec strace -f --seccomp-bpf -y -qq -s 4096 -e trace=${traced} -o ${traces}/$$ /bin/bash "$@"
END
chmod 755 ${tracedShell}; }
rm -rf ${traces}; mkdir -m 700 ${traces}; usermod --shell ${tracedShell} root`

/** Traces what root does over ssh on the host while this works, and gives the names that it followed. */
export async function whatRootFollows(host: LabHost, work: () => Promise<void>): Promise<Followed[]> {
  const texts = await traceOf(host, work)
  const folders = await foreignFolders(host)
  return texts.flatMap((text) => followedIn(text, folders))
}

/** Every call that names a file, of root and of whom it became, while this works: a text for each shell. */
export async function traceOf(host: LabHost, work: () => Promise<void>): Promise<string[]> {
  await onHost(host, install)
  try {
    await work()
  } finally {
    await onHost(host, 'usermod --shell /bin/bash root')
  }
  const names = (await onHost(host, `ls ${traces}`)).split('\n').filter(Boolean)
  const texts = await Promise.all(names.map((name) => onHost(host, `cat ${traces}/${name}`)))
  if (texts.length === 0) throw new Error('lab: nothing was traced')
  return texts
}

/** What root still does there by name, and why that is safe: docs/security.md has the same table. */
export const known: readonly { readonly call: string; readonly why: string; readonly matches: RegExp }[] = [
  {
    call: 'stat, access: any',
    why: 'only looks: it opens, reads and changes nothing',
    matches: /^(statx?|newfstatat|access|faccessat2?) /,
  },
  {
    call: 'chdir: `/home/valence/.ssh`',
    why: 'enters, checks where it is, and leaves if that is another directory',
    matches: /^chdir \/home\/valence\/\.ssh of valence /,
  },
  {
    call: "chdir: a folder `.restoring.*` of Synapse's, in a restore",
    why: 'the same, and checks who owns the directory',
    matches: /^chdir \S+\/\.restoring\.\w+ of matrix-synapse by bash, --norc, -s, --, apply/,
  },
  {
    call: 'openat: below `/var/lib/matrix-synapse/media`, by `mv` in a restore',
    why: 'copies into a directory that only root can enter, where an overlay file system prevents a rename',
    matches: /^openat \/var\/lib\/matrix-synapse\/media of \S+ by mv, -T, /,
  },
]

/** Those that are not known, one of each kind. */
export const unknown = (followed: readonly Followed[]): string[] => {
  const told = followed.map(({ program, call, path, owner }) => `${call} ${path} of ${owner} by ${program}`)
  return [...new Set(told)].filter((line) => !known.some(({ matches }) => matches.test(line)))
}

/** The folders of every account but root, by path; what only the kernel and programs of a boot keep is left out. */
async function foreignFolders(host: LabHost): Promise<ReadonlyMap<string, string>> {
  const said = await onHost(
    host,
    `find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -type d ! -user root -printf '%u %p\\n' 2>/dev/null || true`,
  )
  return new Map(
    said
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/ (.*)/s) as [string, string])
      .map(([owner, path]) => [path, owner]),
  )
}

/** What strace printed, call by call, with each process's user and folder as they were then. */
export function followedIn(text: string, folders: ReadonlyMap<string, string>): Followed[] {
  const processes = new Map<number, Process>()
  // A child may be heard of before its parent is told of it.
  const parents = new Map([...text.matchAll(born)].map(([, parent, child]) => [Number(child), Number(parent)]))
  const unfinished = new Map<number, string>()
  const found: Followed[] = []
  for (const row of text.split('\n')) {
    const [, id = '', rest = ''] = row.match(/^(\d+) +(.*)$/s) ?? []
    const pid = Number(id)
    const begun = rest.match(/^(.*) <unfinished \.\.\.>$/s)
    if (begun) {
      unfinished.set(pid, begun[1] ?? '')
      continue
    }
    const resumed = rest.match(/^<\.\.\. \w+ resumed>(.*)$/s)
    const line = resumed ? `${unfinished.get(pid) ?? ''}${resumed[1]}` : rest
    const process = processes.get(pid) ?? {
      ...(processes.get(parents.get(pid) ?? 0) ?? { uid: 0, cwd: '/', program: '?' }),
    }
    processes.set(pid, process)
    found.push(...(process.uid === 0 ? followedBy(line, process, folders) : []))
    heed(line, process)
  }
  return found
}

/** What a call changes for the calls after it. */
function heed(line: string, process: Process): void {
  if (!/ = 0$/.test(line)) return
  const [, uid] = line.match(/^set(?:re|res)?uid\((?:-1, )?(\d+)/) ?? []
  if (uid) process.uid = Number(uid)
  const [, into] = line.match(/^(?:chdir\("|fchdir\(\d+<)([^">]*)/) ?? []
  if (into !== undefined) process.cwd = absolute(process.cwd, into)
  const [, , words] = line.match(/^execve\("([^"]*)", \[(.*)\],/) ?? []
  if (words) process.program = words.replaceAll('"', '').slice(0, 120)
}

const absolute = (base: string, path: string) =>
  normalize(path.startsWith('/') ? path : `${base}/${path}`).replace(/(.)\/$/, '$1')

function followedBy(line: string, { cwd, program }: Process, folders: ReadonlyMap<string, string>): Followed[] {
  const [, call = '', words = ''] = line.match(/^(\w+)\((.*)\) += /s) ?? []
  if (call === 'getcwd') return []
  const last = !leaves.test(call) && !flagged.test(words)
  const found: Followed[] = []
  for (const [, base, path = ''] of words.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)) {
    const owner = foreignName(base ?? cwd, path, last, folders)
    if (owner) found.push({ program, call, path: absolute(base ?? cwd, path), owner })
    // What execve takes beside the program are words, not paths.
    if (call === 'execve' || call.startsWith('symlink')) break
  }
  return found
}

/** Whose folder the first name is in that is followed there; undefined where all are root's. */
function foreignName(
  base: string,
  path: string,
  last: boolean,
  folders: ReadonlyMap<string, string>,
): string | undefined {
  let at = path.startsWith('/') ? '' : base === '/' ? '' : base
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  for (const [index, name] of names.entries()) {
    const owner = folders.get(at || '/')
    if (owner && name !== '..' && (last || index < names.length - 1)) return owner
    at = name === '..' ? at.slice(0, at.lastIndexOf('/')) : `${at}/${name}`
  }
  return undefined
}
