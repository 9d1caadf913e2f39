import { onHost } from './backup-drill.ts'
import type { LabHost } from './host.ts'

/** What user valence may put in the place of anything in its folders, as shell lines that make `$p`. */
export const objects: Readonly<Record<string, string>> = {
  'a link to /etc': 'ln -s /etc "$p"',
  'a link to nowhere': 'ln -s /etc/apt/apt.conf.d/99red "$p"',
  'a pipe': 'mkfifo "$p"',
  'a folder': 'mkdir "$p"',
  'a file of 1 GB without blocks': 'truncate -s 1G "$p"',
}

/** The paths where a deployment, a check or a backup looks: each is in a folder that valence owns. */
export const places = {
  files: [
    ...['.bashrc', '.claude.json', '.ssh/authorized_keys', '.local/bin/claude'].map((name) => `/home/valence/${name}`),
    ...['.git/HEAD', 'pyproject.toml', 'src/valence/substrate/schema.sql'].map((name) => `/opt/valence/repo/${name}`),
    ...['venv/bin/python', 'venv/pyvenv.cfg', 'config/vkb.env'].map((name) => `/opt/valence/${name}`),
  ],
  folders: [
    ...['.ssh', '.local'].map((name) => `/home/valence/${name}`),
    ...['repo/.git', 'repo/src', 'venv/bin', 'venv/lib'].map((name) => `/opt/valence/${name}`),
  ],
} as const

const kept = (path: string) => `${path}.lab-kept`

/** Runs this while an object is in the place of each of these paths, put there by valence. */
export async function withObjects<T>(
  host: LabHost,
  paths: readonly string[],
  make: string,
  work: () => Promise<T>,
): Promise<T> {
  const each = (line: string) => paths.map((path) => `p=${path}; ${line}`).join('\n')
  const script = each(`mv "$p" "$p.lab-kept"; ${make}`)
  await onHost(host, `runuser -u valence -- sh -es <<'END'\n${script}\nEND`)
  try {
    return await work()
  } finally {
    await onHost(host, paths.map((path) => `rm -rf ${path}; mv ${kept(path)} ${path}`).join('\n'))
  }
}
