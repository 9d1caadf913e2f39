import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { podFile } from '../env/place.ts'

// What people have for sessions by hand (ssh_config(5)).
const forHand = `
RemoteCommand tmux new -A -s main
SessionType none
RequestTTY force
StdinNull yes
ForkAfterAuthentication yes
LocalForward 5432 localhost:5432
RemoteForward 52698 localhost:52698
Tunnel yes
VisualHostKey yes
PermitLocalCommand yes
LocalCommand echo hello
ForwardAgent yes
LogLevel DEBUG
ControlMaster auto
ControlPersist 10m
ControlPath ~/.ssh/%C
ProxyJump bastion.example.org
`

test('what an ssh_config says for sessions by hand is not in force, and a jump host is', async () => {
  const root = tempFolder()
  writeFileSync(join(root, '.env.pod'), podFile(), { mode: 0o600 })
  writeFileSync(join(root, 'config'), forHand, { mode: 0o600 })
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  // Stands for ssh(1): keeps what ssh makes of its arguments with that configuration.
  const spy = `#!/bin/sh\n${real} -G -F ${root}/config "$@" >>${root}/said\nexit 255\n`
  writeFileSync(join(root, 'ssh'), spy, { mode: 0o755 })
  const env = { PATH: `${root}:${process.env.PATH}` }
  await runCli('pod', ['plan'], { root, env })
  const said = readFileSync(join(root, 'said'), 'utf8').split('\n')
  const of = (name: string) => said.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  expect(of('proxyjump')).toBe('bastion.example.org')
  expect(
    said.filter((line) =>
      /^(remotecommand|localforward|remoteforward|forkafterauthentication yes|stdinnull yes)/.test(line),
    ),
  ).toEqual([])
  const own = {
    sessiontype: 'default',
    requesttty: 'false',
    visualhostkey: 'no',
    // Of the tool's own: it marks that the host has let us in.
    permitlocalcommand: 'yes',
    localcommand: expect.stringMatching(/^touch \S+\/in$/),
    forwardagent: 'no',
    tunnel: 'false',
    loglevel: 'ERROR',
    controlpersist: 'no',
  }
  for (const [name, value] of Object.entries(own)) expect([name, of(name)]).toEqual([name, value])
})

test('the private key beside the public one is tried, and so are those that ssh tries by itself', async () => {
  const root = tempFolder()
  mkdirSync(join(root, '.ssh'))
  for (const name of ['pod', '.ssh/id_ed25519'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, name)])
  const file = podFile({ VALENCE_SSH_PUBKEY: undefined, VALENCE_SSH_PUBKEY_FILE: join(root, 'pod.pub') })
  writeFileSync(join(root, '.env.pod'), file, { mode: 0o600 })
  writeFileSync(join(root, 'ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" >>${root}/said\nexit 255\n`, { mode: 0o755 })
  await runCli('pod', ['plan'], { root, env: { PATH: `${root}:${process.env.PATH}`, HOME: root } })
  const said = readFileSync(join(root, 'said'), 'utf8').split('\n')
  const keys = said.flatMap((word, at) => (word === '-i' ? [said[at + 1]] : []))
  expect(keys).toEqual([join(root, 'pod'), join(root, '.ssh/id_ed25519')])
  expect(said).not.toContain('IdentitiesOnly=yes')
})

test('where the key of the host is pinned, no other is believed', async () => {
  const root = tempFolder()
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(root, 'host')])
  const key = readFileSync(join(root, 'host.pub'), 'utf8').trim()
  writeFileSync(join(root, '.env.pod'), podFile({ VALENCE_SSH_HOST_KEY: key }), { mode: 0o600 })
  // Stands for ssh(1): keeps its arguments, and the keys that it is to believe.
  const known = `for word; do case $word in UserKnownHostsFile=*) cat "$(echo "\${word#*=}" | tr -d '"')" >>${root}/known ;; esac; done`
  const spy = `#!/bin/sh\nprintf '%s\\n' "$@" >>${root}/said\n${known}\nexit 255\n`
  writeFileSync(join(root, 'ssh'), spy, { mode: 0o755 })
  await runCli('pod', ['plan'], { root, env: { PATH: `${root}:${process.env.PATH}` } })
  const said = readFileSync(join(root, 'said'), 'utf8').split('\n')
  expect(said).toContain('StrictHostKeyChecking=yes')
  expect(said).not.toContain('StrictHostKeyChecking=accept-new')
  expect(readFileSync(join(root, 'known'), 'utf8')).toMatch(new RegExp(`^\\S+ ${key.replace(/[+/.]/g, '\\$&')}\\n`))
})
