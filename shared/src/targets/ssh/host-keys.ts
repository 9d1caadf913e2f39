import { createHash, createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { quote } from '../../command/sh.ts'
import { runLocal } from '../process.ts'

/** How a known_hosts file calls a host at a port (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export const nameInKnownHosts = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${port}`)

/** `SHA256:…`, as ssh-keygen -l shows a key. `line` is `type base64`. */
export function keyPrint(line: string): string {
  const [, base64 = ''] = line.split(' ')
  const digest = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64')
  return `SHA256:${digest.replace(/=+$/, '')}`
}

/** The keys that a file has for a host, each as `type base64`, the best first; none without such a file. */
export function knownKeys(file: string, host: string, port: number): readonly string[] {
  if (!existsSync(file)) return []
  const name = nameInKnownHosts(host, port)
  const lines = readFileSync(file, 'utf8').split('\n')
  return best(lines.filter((line) => isOf(line.split(' ')[0] ?? '', name)))
}

/** Whether the first field of a line is this host: plain, or hashed as `HashKnownHosts` has ssh write it. */
function isOf(field: string, name: string): boolean {
  const [, kind, salt = '', hash] = field.split('|')
  if (kind !== '1') return field.split(',').includes(name)
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

const types = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa']

const best = (lines: readonly string[]): readonly string[] =>
  lines
    .map((line) => line.trim().split(/\s+/).slice(1, 3))
    .filter(([type = '', base64]) => types.includes(type) && base64 !== undefined)
    .sort(([one = ''], [other = '']) => types.indexOf(one) - types.indexOf(other))
    .map((words) => words.join(' '))

/** The best host key that a server shows to this machine, as `type base64`; undefined when it shows none. */
export async function shownKey(host: string, port: number): Promise<string | undefined> {
  const line = `exec ssh-keyscan -T 10 -t ed25519,ecdsa,rsa -p ${port} -- ${quote(host)}`
  const { stdout } = await runLocal(line, '')
  return best(stdout.split('\n').filter((text) => !text.startsWith('#')))[0]
}

/** What is told of a first contact, where nothing said which key is the host's. */
export function sayFirstContact(host: string, key: string): string {
  const compare = "Compare it on the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub."
  const pin = `To pin it for every machine that deploys: VALENCE_SSH_HOST_KEY='${key}'.`
  return `first contact with ${host}: its host key ${keyPrint(key)} was taken on trust. ${compare} ${pin}`
}
