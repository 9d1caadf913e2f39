import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, chmod, chown, lstat, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labAuthority, labName } from './authority.ts'
import { cached } from './cache.ts'
import { resolvers } from './machine.ts'
import { must } from './run.ts'

/** A sudo user beside root: with a password where `sudo -n` must fail. */
export type LabUser = { readonly name: string; readonly password?: string }

export type KeyPair = { readonly keyFile: string; readonly publicKey: string }

/** The domain that every lab host takes for its own. */
export const labDomain = 'pod.lab.example.org'

/** The key that opens all lab hosts of this machine; it opens nothing else. */
export async function labKey(): Promise<KeyPair> {
  const folder = await cached('keys', { version: 1, use: 'lab hosts' }, (to) => makeKey(join(to, 'id_ed25519')))
  const keyFile = join(folder, 'id_ed25519')
  return { keyFile, publicKey: (await readFile(`${keyFile}.pub`, 'utf8')).trim() }
}

/** Makes an ed25519 key pair without a passphrase at this path. */
export const makeKey = async (file: string): Promise<void> => {
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'infra-lab', '-f', file])
}

/** What differs at each boot: the way to name servers, to the machine, and to itself. */
export async function prepareBoot(
  root: string,
  name: string,
  { address, gateway }: { readonly address: string; readonly gateway: string },
): Promise<void> {
  await nameServers(root)
  const hosts = [`127.0.0.1 localhost`, `127.0.1.1 ${name}`, `::1 localhost ip6-localhost`, `${gateway} ${labName}`]
  hosts.push(`${address} ${labDomain} matrix.${labDomain}`)
  await writeFile(join(root, 'etc/hosts'), `${hosts.join('\n')}\n`)
}

// Where systemd-resolved has its stub, it is told; else the file is the resolver's own.
async function nameServers(root: string): Promise<void> {
  const file = join(root, 'etc/resolv.conf')
  const servers = await resolvers()
  if (!(await lstat(file).catch(() => undefined))?.isSymbolicLink()) return writeFile(file, servers)
  const folder = join(root, 'etc/systemd/resolved.conf.d')
  await mkdir(folder, { recursive: true })
  const addresses = [...servers.matchAll(/^nameserver (\S+)$/gm)].map(([, address]) => address)
  await writeFile(join(folder, 'lab.conf'), `[Resolve]\nDNS=${addresses.join(' ')}\n`)
}

export type DesiredHost = {
  readonly name: string
  readonly user: LabUser | undefined
  readonly rootKey: boolean
  readonly cloudInit: boolean
}

/** Makes a host of its own from the bare root: name, machine id, host keys, who may log in. */
export async function prepareHost(root: string, desired: DesiredHost): Promise<void> {
  const { publicKey } = await labKey()
  await writeFile(join(root, 'etc/hostname'), `${desired.name}\n`)
  await writeFile(join(root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`, { mode: 0o444 })
  for (const type of ['ed25519', 'ecdsa']) {
    const file = join(root, `etc/ssh/ssh_host_${type}_key`)
    await must('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', `root@${desired.name}`, '-f', file])
  }
  await makeLivedIn(root)
  await trust(root, (await labAuthority()).certificate)
  if (desired.rootKey) await authorize(root, 'root', publicKey)
  if (desired.user !== undefined) await addUser(root, desired.user, publicKey)
  if (desired.cloudInit) {
    const file = join(root, 'etc/ssh/sshd_config.d/50-cloud-init.conf')
    await writeFile(file, 'PasswordAuthentication yes\n', { mode: 0o600 })
  }
}

/**
 * What hosts have that somebody else set up: a word before and after the login, settings of sshd in a file of their own, a
 * site of nginx beside ours. A host that is as the installer left it would hide whom it disturbs.
 */
async function makeLivedIn(root: string): Promise<void> {
  await writeFile(join(root, 'etc/lab-banner'), 'Authorized use only.\n')
  await writeFile(join(root, 'etc/ssh/sshd_config.d/60-lab.conf'), 'Banner /etc/lab-banner\nPrintLastLog no\n')
  const shell = join(root, 'root/.bashrc')
  const before = existsSync(shell) ? await readFile(shell, 'utf8') : ''
  await writeFile(shell, `echo "welcome to $(uname -n)"; echo 'warning: no mail' >&2\n${before}`)
  await mkdir(join(root, 'etc/nginx/conf.d'), { recursive: true })
  await writeFile(join(root, 'etc/nginx/conf.d/lab.conf'), otherSite)
}

const otherSite = `server {
    listen 80;
    listen [::]:80;
    server_name www.other.example;
    return 200 "other";
}
`

// By hand what update-ca-certificates would do, and will do again when a package asks for it.
async function trust(root: string, certificate: string): Promise<void> {
  await writeFile(join(root, 'usr/local/share/ca-certificates/infra-lab.crt'), certificate)
  await appendFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), certificate)
}

async function addUser(root: string, { name, password }: LabUser, publicKey: string): Promise<void> {
  await must('chroot', [root, 'useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'sudo', name])
  if (password !== undefined) await must('chroot', [root, 'chpasswd'], { input: `${name}:${password}\n` })
  else await writeFile(join(root, `etc/sudoers.d/90-${name}`), `${name} ALL=(ALL) NOPASSWD:ALL\n`, { mode: 0o440 })
  await authorize(root, name, publicKey)
}

async function authorize(root: string, user: string, publicKey: string): Promise<void> {
  const line = (await readFile(join(root, 'etc/passwd'), 'utf8')).split('\n').find((row) => row.startsWith(`${user}:`))
  const [, , uid = '', gid = '', , home = ''] = line?.split(':') ?? []
  const folder = join(root, home, '.ssh')
  const file = join(folder, 'authorized_keys')
  if (!existsSync(folder)) await mkdir(folder, { mode: 0o700 })
  await appendFile(file, `${publicKey}\n`)
  await chmod(file, 0o600)
  for (const path of [folder, file]) await chown(path, Number(uid), Number(gid))
}
