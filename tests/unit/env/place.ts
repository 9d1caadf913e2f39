import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tempFolder } from '../../support/temp.ts'

/** A new folder with these files (mode 0600). */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const root = tempFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    chmodSync(join(root, name), 0o600)
  }
  return root
}

/** A key pair made by ssh-keygen; answers the path of the private half. */
export function sshKey(root: string, type: string, ...more: string[]): string {
  const path = join(root, `${type}${more.join('')}`)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'someone@somewhere', '-f', path, ...more])
  return path
}

/** The value of a variable after a shell sourced a file. */
export function sourced(shell: 'bash' | 'dash', file: string, name: string, home = '/home/someone'): string {
  const script = `. "$1" && eval "printf %s \\"\\$${name}\\""`
  return execFileSync(shell, ['-c', script, shell, file], {
    encoding: 'utf8',
    // bash reads ~/.bashrc when its input is a socket.
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: home },
  })
}

/** Secrets that are strong enough for a pod. */
export const podSecrets = {
  VALENCE_DB_PASSWORD: 'dbGf3kQz9LwX2mTr7Vn',
  VALENCE_BOT_PASSWORD: 'boGf3kQz9LwX2mTr7Vn',
  SYNAPSE_ADMIN_PASSWORD: 'adGf3kQz9LwX2mTr7Vn',
  SYNAPSE_REGISTRATION_SECRET: 'reGf3kQz9LwX2mTr7Vn',
  SYNAPSE_MACAROON_SECRET: 'maGf3kQz9LwX2mTr7Vn',
  SYNAPSE_FORM_SECRET: 'foGf3kQz9LwX2mTr7Vn',
  OPENAI_API_KEY: 'sk-proj-Gf3kQz9LwX2mTr7VnHc8',
} as const

/** A whole, valid `.env.pod`. */
export const podFile = (changes: Readonly<Record<string, string | undefined>> = {}): string => {
  const values: Record<string, string | undefined> = {
    VALENCE_POD_IP: '198.51.100.7',
    VALENCE_DOMAIN: 'chat.example.org',
    LETSENCRYPT_EMAIL: 'ops@example.org',
    VALENCE_SSH_PUBKEY: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA me@here',
    ...podSecrets,
    ...changes,
  }
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : `export ${name}="${value}"\n`))
    .join('')
}
