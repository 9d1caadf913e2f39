import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identify, isAlive, type ProcessId } from './process-id.ts'
import { type Result, run, until } from './run.ts'

/** A booted system: systemd-nspawn, and the first process inside. */
export type Machine = { readonly nspawn: ProcessId; readonly leader: ProcessId }

export type DesiredMachine = {
  readonly number: number
  readonly root: string
  readonly namespace: string
  readonly log: string
}

// Without systemd on the machine nobody gives each host a cgroup of its own, and two in one clash.
const launch = `
group=$1; shift
if [ ! -d /run/systemd/system ]; then
  for tree in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
    [ -f "$tree/cgroup.procs" ] && mkdir -p "$tree/$group" && echo $$ >"$tree/$group/cgroup.procs"
  done
  set -- "$@" --keep-unit
fi
exec systemd-nspawn "$@"`

/** Starts systemd in the root; answers as soon as its first process is there, long before it is up. */
export async function startMachine({ number, root, namespace, log }: DesiredMachine): Promise<Machine> {
  const name = `infra-lab-${number}`
  const output = openSync(log, 'a')
  const flags = [
    '--quiet',
    `--directory=${root}`,
    `--machine=${name}`,
    '--boot',
    '--register=no',
    `--network-namespace-path=/run/netns/${namespace}`,
    '--capability=CAP_NET_ADMIN,CAP_NET_RAW',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=pipe',
  ]
  const child = spawn('sh', ['-c', launch, 'sh', name, ...flags], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
  })
  closeSync(output)
  child.unref()
  const nspawn = identify(child.pid ?? -1)
  if (nspawn === undefined) throw new Error('lab: systemd-nspawn did not start')
  const leader = await until('the first process of the host', 20_000, async () => {
    if (!isAlive(nspawn) || child.exitCode !== null) throw new Error(`lab: the host did not boot\n${await tail(log)}`)
    return findLeader(nspawn.pid)
  })
  return { nspawn, leader }
}

// nspawn has helpers for a moment; the leader is the one that is process 1 inside and runs systemd already.
async function findLeader(nspawn: number): Promise<ProcessId | undefined> {
  const children = await readFile(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').catch(() => '')
  for (const pid of children.trim().split(' ').filter(Boolean)) {
    const status = await readFile(join('/proc', pid, 'status'), 'utf8').catch(() => '')
    const name = await readFile(join('/proc', pid, 'comm'), 'utf8').catch(() => '')
    if (/^NSpid:.*\t1$/m.test(status) && /^(systemd|init)$/.test(name.trim())) return identify(Number(pid))
  }
  return undefined
}

/** Ends it: cleanly, as `poweroff` does, or at once, as when the cord is pulled. */
export async function stopMachine(machine: Machine, how: 'clean' | 'hard'): Promise<void> {
  if (isAlive(machine.nspawn)) {
    if (how === 'clean') process.kill(machine.nspawn.pid, 'SIGTERM')
    else if (isAlive(machine.leader)) process.kill(machine.leader.pid, 'SIGKILL')
  }
  const ended = async () => (isAlive(machine.nspawn) && !(await isZombie(machine.nspawn.pid)) ? undefined : true)
  await until('the host to power off', 90_000, ended)
}

async function isZombie(pid: number): Promise<boolean> {
  return /^State:\tZ/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ'))
}

/** Runs a shell script inside, past ssh and firewall. The script goes in by stdin, so it is in no argv. */
export function execInside(leader: ProcessId, script: string, user: string): Promise<Result> {
  if (!isAlive(leader)) return Promise.resolve({ code: 255, stdout: '', stderr: 'lab: the host is off' })
  const shell = ['sh', '-c', 'eval "$(cat)"']
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const home = ['env', '-i', path, 'HOME=/root', 'LANG=C.UTF-8', 'TERM=dumb']
  const inner = user === 'root' ? shell : ['runuser', '-u', user, '--', ...shell]
  return run('nsenter', ['-t', String(leader.pid), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...home, ...inner], {
    input: script,
  })
}

const tail = async (log: string): Promise<string> =>
  existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n').slice(-15).join('\n') : ''
