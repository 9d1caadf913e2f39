import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labName } from './authority.ts'
import { scratchFolder } from './cache.ts'
import { makeKey } from './prepare.ts'
import { must, run, tether, until } from './run.ts'

/** The git server by ssh: one deploy key that can read one repository and do nothing else. */
export type DeployKeyServer = {
  readonly url: string
  /** The private deploy key, a file of this machine. */
  readonly keyFile: string
  /** The server's line for known_hosts, by its name inside lab hosts. */
  readonly knownHosts: string
  stop(): Promise<void>
}

/** Starts an sshd of its own that serves `valence.git` in `folder` to the holder of the deploy key. */
export async function startDeployKeyServer(
  folder: string,
  addresses: readonly string[],
  port: number,
): Promise<DeployKeyServer> {
  const home = await scratchFolder('sshd')
  const file = (name: string) => join(home, name)
  for (const name of ['host_key', 'deploy_key']) await makeKey(file(name))
  const [hostKey, deployKey] = await Promise.all(
    ['host_key.pub', 'deploy_key.pub'].map(async (name) => (await readFile(file(name), 'utf8')).trim()),
  )
  // Only this command, only this repository, whatever the client asks for.
  const gate = `#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
  "git-upload-pack '/valence.git'") exec git upload-pack '${join(folder, 'valence.git')}' ;;
esac
echo 'this key may only read valence.git' >&2
exit 1
`
  await writeFile(file('gate'), gate, { mode: 0o755 })
  await writeFile(file('authorized_keys'), `restrict,command="${file('gate')}" ${deployKey}\n`, { mode: 0o600 })
  const settings = [
    `Port ${port}`,
    ...addresses.map((address) => `ListenAddress ${address}`),
    `HostKey ${file('host_key')}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    `PidFile ${file('pid')}`,
    'PermitRootLogin forced-commands-only',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    // Our folder is nobody's home.
    'StrictModes no',
  ]
  await writeFile(file('sshd_config'), `${settings.join('\n')}\n`)
  // Debian's sshd wants it even where its service never ran.
  await mkdir('/run/sshd', { recursive: true })
  const sshd = (await must('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v sshd'])).trim()
  const [program, ...args] = [...tether, sshd, '-D', '-e', '-f', file('sshd_config')]
  const server = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  await untilListening(server, addresses[0] ?? '', port)
  server.unref()
  return {
    url: `ssh://root@${labName}:${port}/valence.git`,
    keyFile: file('deploy_key'),
    knownHosts: `[${labName}]:${port} ${hostKey?.split(' ').slice(0, 2).join(' ')}`,
    stop: async () => {
      server.kill('SIGTERM')
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function untilListening(server: ChildProcess, address: string, port: number): Promise<void> {
  let said = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await until('the deploy key server', 10_000, async () => {
    if (server.exitCode !== null) throw new Error(`lab: sshd did not start\n${said}`)
    return (await run('ssh-keyscan', ['-T', '2', '-t', 'ed25519', '-p', String(port), address])).stdout || undefined
  })
  const pipe = server.stderr as unknown as { unref?: () => void } | null
  pipe?.unref?.()
}
