import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { goProgram } from './kube/go-build.ts'

/** The parts of the lab a suite may ask for. */
export type LabPart =
  | 'host'
  | 'git'
  | 'git-ssh'
  | 'acme'
  | 'moto'
  | 'psql'
  | 'age'
  | 'script'
  | 'kube'
  | 'registry'
  | 'stoat'
  | 'cargo'
  | 'doctl'
  | 'nodes'
  | 'chromium'

/** Something the machine lacks, and the command that brings it. */
export type Missing = { readonly what: string; readonly install: string }

type Need = { readonly what: string; readonly install: string; readonly has: () => boolean }

const places = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const onPath = (name: string): boolean =>
  [...(process.env.PATH ?? '').split(':'), ...places].some((folder) => existsSync(`${folder}/${name}`))

const program = (name: string, debian: string): Need => ({
  what: name,
  install: `apt-get install -y ${debian}`,
  has: () => onPath(name),
})

const linux: Need = { what: 'Linux', install: 'run it on a Linux machine', has: () => process.platform === 'linux' }
const x64: Need = {
  what: 'Linux on x64',
  install: 'run it on such a machine',
  has: () => process.platform === 'linux' && process.arch === 'x64',
}
const root: Need = { what: 'root', install: 'run it as root (sudo -E)', has: () => process.getuid?.() === 0 }
const python: Need = {
  what: 'python3 with venv',
  install: 'apt-get install -y python3-venv',
  has: () => onPath('python3') && spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0,
}
const debianKeys: Need = {
  what: "Debian's archive keys",
  install: 'apt-get install -y debian-archive-keyring',
  has: () => existsSync('/usr/share/keyrings/debian-archive-keyring.gpg'),
}
const tunnel: Need = {
  what: '/dev/net/tun',
  install: 'modprobe tun',
  has: () => existsSync('/dev/net/tun'),
}

const go: Need = {
  what: 'Go 1.21 or later',
  install: 'see go.dev/doc/install (golang-go from Debian 13 on)',
  has: () => goProgram() !== undefined,
}
const file = (path: string, debian: string): Need => ({
  what: path,
  install: `apt-get install -y ${debian}`,
  has: () => existsSync(path),
})

const needs: Readonly<Record<LabPart, readonly Need[]>> = {
  psql: [program('psql', 'postgresql-client'), program('pg_isready', 'postgresql-client')],
  host: [
    linux,
    root,
    program('systemd-nspawn', 'systemd-container'),
    program('debootstrap', 'debootstrap'),
    program('ip', 'iproute2'),
    program('iptables', 'iptables'),
    program('nsenter', 'util-linux'),
    program('flock', 'util-linux'),
    program('setpriv', 'util-linux'),
    program('unshare', 'util-linux'),
    program('ssh', 'openssh-client'),
    program('python3', 'python3'),
    debianKeys,
    tunnel,
  ],
  git: [program('git', 'git')],
  'git-ssh': [
    linux,
    root,
    program('git', 'git'),
    program('sshd', 'openssh-server'),
    program('ssh-keyscan', 'openssh-client'),
    program('setpriv', 'util-linux'),
  ],
  acme: [program('pebble', 'pebble'), program('pebble-challtestsrv', 'pebble'), program('openssl', 'openssl')],
  age: [program('age', 'age')],
  chromium: [linux, program('chromium-headless-shell', 'chromium-headless-shell')],
  script: [program('script', 'bsdutils')],
  kube: [
    linux,
    root,
    go,
    program('ip', 'iproute2'),
    program('iptables', 'iptables'),
    program('nft', 'nftables'),
    program('ipset', 'ipset'),
    program('conntrack', 'conntrack'),
    program('nsenter', 'util-linux'),
    program('flock', 'util-linux'),
    program('setpriv', 'util-linux'),
    program('unshare', 'util-linux'),
    program('openssl', 'openssl'),
    program('gcc', 'gcc'),
    program('pkg-config', 'pkg-config'),
    program('busybox', 'busybox-static'),
    program('redis-cli', 'redis-tools'),
    file('/usr/include/seccomp.h', 'libseccomp-dev'),
    file('/usr/include/stdlib.h', 'libc6-dev'),
    file('/usr/lib/cni/ptp', 'containernetworking-plugins'),
  ],
  stoat: [
    linux,
    root,
    go,
    debianKeys,
    program('debootstrap', 'debootstrap'),
    program('ip', 'iproute2'),
    program('nsenter', 'util-linux'),
    program('unshare', 'util-linux'),
    program('setpriv', 'util-linux'),
    program('flock', 'util-linux'),
    program('python3', 'python3'),
    program('busybox', 'busybox-static'),
    program('redis-cli', 'redis-tools'),
    program('javac', 'default-jdk-headless'),
    program('jlink', 'default-jdk-headless'),
    program('mvn', 'maven'),
  ],
  cargo: [program('cargo', 'cargo'), program('cc', 'gcc')],
  registry: [program('docker-registry', 'docker-registry'), program('buildah', 'buildah'), program('perl', 'perl')],
  doctl: [linux, go, program('flock', 'util-linux'), program('setpriv', 'util-linux')],
  nodes: [x64, program('npm', 'npm'), program('flock', 'util-linux')],
  moto: [linux, python, program('flock', 'util-linux'), program('setpriv', 'util-linux')],
}

/** What these parts of the lab lack on this machine, each with the command that installs it. */
export function missing(...parts: readonly LabPart[]): readonly Missing[] {
  const wanted = new Set(parts.flatMap((part) => needs[part]))
  return [...wanted].filter((need) => !need.has()).map(({ what, install }) => ({ what, install }))
}

/**
 * The reason to skip a suite by name, or undefined when all is there. Under `LAB=required` a lack is an error.
 * `const skip = requireLab('host'); describe.skipIf(skip)(title('a bare host', skip), …)`
 */
export function requireLab(...parts: readonly LabPart[]): string | undefined {
  const lacking = missing(...parts)
  if (lacking.length === 0) return undefined
  const reason = lacking.map(({ what, install }) => `no ${what} (${install})`).join(', ')
  if (process.env.LAB === 'required') throw new Error(`lab: ${reason}`)
  return reason
}

/** A suite's title that says why it is skipped. */
export const title = (name: string, skip: string | undefined): string =>
  skip === undefined ? name : `${name} [skipped: ${skip}]`
