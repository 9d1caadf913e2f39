import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import type { LockRequest } from '@infra/shared/engine/target'
import { type SshTarget, ssh } from '@infra/shared/targets/ssh/ssh'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { launcher } from '../support/cli.ts'
import { awaits } from '../support/wait.ts'
import { bootHost, type LabHost } from './host.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import type { ChildTask } from './ssh-child.ts'

const noHost = requireLab('host')

const holds = (what: string, condition: () => boolean | Promise<boolean>) =>
  until(what, 30_000, async () => (await condition()) || undefined)

describe.skipIf(noHost)(title('the ssh target', noHost), () => {
  let lab: LabHost
  let folder: string
  let serial = 0
  const open: SshTarget[] = []
  const children: ChildProcess[] = []

  const address = (more: Partial<Parameters<typeof ssh>[0]> = {}) => ({
    host: lab.address,
    port: 22,
    user: 'root',
    keyFile: lab.keyFile,
    knownHosts: join(folder, `known_hosts.${serial++}`),
    ...more,
  })
  const connect = (more: Partial<Parameters<typeof ssh>[0]> = {}) => {
    const target = ssh(address(more))
    open.push(target)
    return target
  }
  const failure = async (work: Promise<unknown> | undefined): Promise<Failure> => {
    const error = await work?.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Failure)
    return error as Failure
  }
  const lockRequest = (more: Partial<LockRequest> = {}): LockRequest => ({
    holder: 'the test',
    timeout: 0,
    waiting: () => {},
    ...more,
  })
  const child = async (task: Omit<ChildTask, 'address'>) => {
    const argument = JSON.stringify({ address: address(), ...task })
    const process = spawn('node', [launcher, join(import.meta.dirname, 'ssh-child.ts'), argument])
    children.push(process)
    let said = ''
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk
      })
    }
    process.on('exit', (code) => {
      if (code !== null) said += `(ended with ${code})`
    })
    const says = (line: string) =>
      holds(`the child to say ${line}`, () => {
        if (said.includes('(ended')) throw new Error(`the child did not say ${line}: ${said}`)
        return said.includes(line)
      })
    await says('locked')
    return { process, says }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ssh-target-'))
    lab = await bootHost({ name: 'ssh', user: 'admin' })
  })
  afterEach(async () => {
    await lab.heal()
    for (const process of children.splice(0)) process.kill('SIGKILL')
    for (const target of open.splice(0)) await target.close()
  })
  afterAll(async () => {
    await lab?.destroy()
    await rm(folder, { recursive: true, force: true })
  })

  test('asks many questions and makes many changes over one connection', async () => {
    const logins = async () => Number((await lab.exec('journalctl -u ssh | grep -c Accepted')).stdout)
    const before = await logins()
    const target = connect()
    const answers = await target.ask([sh`hostname`, sh`cat /nonexistent`, sh`nonesuch`])
    expect(answers.map(({ code }) => code)).toEqual([0, 1, 127])
    const outputs = await target.run([sh`echo one`, sh`false`, sh`touch /root/never`], () => {})
    expect(outputs.map(({ code }) => code)).toEqual([0, 1])
    expect((await lab.exec('ls /root/never')).code).not.toBe(0)
    expect(await logins()).toBe(before + 1)
  })

  test('a change is made while the questions that opened the connection are still under way', async () => {
    const target = connect()
    // The question is answered once the change is made: neither comes to its end if the change waits for the answer.
    const asked = target.ask([raw(`${awaits('/root/changed')}; echo $SSH_CONNECTION`)])
    const [ran] = await target.run([raw('echo $SSH_CONNECTION; touch /root/changed')], () => {})
    expect(ran?.stdout).toMatch(/^10\.77\./)
    expect((await asked)[0]).toMatchObject({ code: 0, stdout: ran?.stdout })
  })

  test('the connection and its folder are gone after close', async () => {
    const target = connect()
    await target.ask([sh`true`])
    await target.close()
    await holds('it to be so', async () => (await lab.exec('pgrep -f "sshd.*@notty"')).code !== 0)
  })

  test.each([
    [
      'a wrong key',
      async () => ({ keyFile: await strangersKey() }),
      /permission denied/,
      /VALENCE_SSH_PRIVATE_KEY_FILE/,
    ],
    ['a port where nothing listens', async () => ({ port: 2222 }), /refuses the connection/, /VALENCE_SSH_PORT/],
    ['a name that does not exist', async () => ({ host: 'nowhere.invalid' }), /cannot be resolved/, /VALENCE_POD_IP/],
    ['a missing key file', async () => ({ keyFile: '/nonexistent' }), /private key|permission denied/, /VALENCE_SSH/],
  ])('%s is one clear error', async (_name, more, message, remedy) => {
    const error = await failure(connect(await more()).ask([sh`true`]))
    expect(error).toMatchObject({ kind: 'unreachable', message: expect.stringMatching(message) })
    expect(error.remedy).toMatch(remedy)
  })

  test('a host key that is not the one seen before stops the run', async () => {
    const knownHosts = join(folder, 'stranger')
    const other = (await lab.exec('ssh-keygen -q -t ed25519 -N "" -f /tmp/other && cat /tmp/other.pub')).stdout
    await writeFile(knownHosts, `${lab.address} ${other.split(' ').slice(0, 2).join(' ')}\n`)
    const error = await failure(connect({ knownHosts }).ask([sh`true`]))
    expect(error.message).toMatch(/host key .* is not the one seen before/)
    expect(error.remedy).toContain(`ssh-keygen -f ${knownHosts} -R`)
  })

  test('another user than root works by sudo, and says so when sudo wants a password', async () => {
    expect((await connect({ user: 'admin' }).ask([sh`id -un`]))[0]?.stdout).toBe('root\n')
    await lab.exec(
      'mkdir /root/sudoers && mv /etc/sudoers.d/* /root/sudoers/ && echo "admin ALL=(ALL) ALL" >/etc/sudoers.d/admin',
    )
    const error = await failure(connect({ user: 'admin' }).ask([sh`id -un`]))
    await lab.exec('rm /etc/sudoers.d/admin && mv /root/sudoers/* /etc/sudoers.d/')
    expect(error.message).toMatch(/sudo on .* wants a password/)
  })

  test('a host that is down is unreachable; a connection cut in mid-change says what is uncertain', async () => {
    const target = connect()
    await target.ask([sh`true`])
    const cut = failure(target.run([sh`sleep 600`], () => {}))
    await lab.partition()
    const [lost, down] = await Promise.all([cut, failure(connect().ask([sh`true`]))])
    expect(lost.message).toMatch(/was lost while running: sleep 600/)
    expect(lost.remedy).toMatch(/may or may not have been done/)
    expect(down.message).toMatch(/does not answer/)
    await lab.heal()
    expect((await connect().ask([sh`echo back`]))[0]?.stdout).toBe('back\n')
  })

  test('the lock has one holder, tells who it is, and is free after its release', async () => {
    const [one, two] = [connect(), connect()]
    const lock = await one.lock?.(lockRequest({ holder: "ana's laptop" }))
    const error = await failure(two.lock?.(lockRequest()))
    expect(error).toMatchObject({ kind: 'locked', message: expect.stringContaining("ana's laptop") })
    const waited = vi.fn()
    const second = two.lock?.(lockRequest({ timeout: 600, waiting: waited }))
    await holds('the second to wait', () => waited.mock.calls.length > 0)
    await lock?.release()
    await (await second)?.release()
    expect((await lab.exec('ls /run/infra/lock')).code).not.toBe(0)
  })

  test('a lock ends with its holder, even one that was killed, and waits for the change it left running', async () => {
    const script = `echo begun; ${awaits('/root/go')}; touch /root/finished`
    const { process, says } = await child({ script })
    await says('begun')
    process.kill('SIGKILL')
    const waited = vi.fn((holder: string) => {
      // Before that it may be told of the holder, until the host has noticed that it is gone.
      if (holder.includes('interrupted run')) void lab.exec('touch /root/go')
    })
    const lock = await connect().lock?.(lockRequest({ timeout: 600, waiting: waited }))
    expect((await lab.exec('ls /root/finished')).code).toBe(0)
    expect(waited.mock.calls.flat().join()).toContain('interrupted run')
    await lock?.release()
  })

  test('a lock without a sign of life expires; unlock removes any; a change notices that its lock is gone', async () => {
    const one = connect()
    await one.lock?.(lockRequest({ holder: 'asleep' }))
    await lab.exec('touch -d "3 minutes ago" /run/infra/lock')
    const two = connect()
    const lock = await two.lock?.(lockRequest())
    expect((await failure(one.run([sh`touch /root/fenced`], () => {}))).message).toMatch(/lock .* was lost/)
    expect((await lab.exec('ls /root/fenced')).code).not.toBe(0)
    expect(await connect().unlock?.()).toContain('the test')
    expect(await connect().unlock?.()).toBeUndefined()
    await lock?.release()
  })

  test('a guarded change that cuts off new connections is reverted at once', async () => {
    const target = connect()
    await target.ask([sh`true`])
    // Not just a word: what systemd would make of `$` and `%` must not change it.
    const undo = raw(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: shell
      'unit=ssh; for end in service; do [ "$(printf %s x)$$" = x ] || systemctl start "${unit}.$end"; done',
    )
    const guard = { name: 'test', seconds: 30, undo }
    const error = await failure(target.guarded?.([raw('systemctl stop ssh.service ssh.socket')], guard, () => {}))
    expect(error.message).toMatch(/no new connection could be made; it was reverted/)
    expect((await connect().ask([sh`systemctl is-active infra-revert-test.timer`]))[0]?.stdout).toBe('inactive\n')
  })

  test('a guarded change that holds is kept, and its revert disarmed', async () => {
    const target = connect()
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/reverted` }
    const done = await target.guarded?.([sh`echo kept`], guard, () => {})
    expect(done?.became).toBeUndefined()
    expect(done?.outputs.map(({ stdout }) => stdout.trim())).toEqual(['kept'])
    expect((await lab.exec('systemctl is-active infra-revert-test.timer')).stdout).toBe('inactive\n')
    expect((await lab.exec('ls /root/reverted')).code).not.toBe(0)
  })

  test('of a guarded change that fails it is said what became of it', async () => {
    const target = connect()
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/undone` }
    const [change, quiet] = [[raw('exit 3')], () => {}] as const
    expect(await target.guarded?.(change, guard, quiet)).toMatchObject({
      became: expect.stringMatching(/^it was reverted/),
    })
    expect((await lab.exec('rm /root/undone')).code).toBe(0)
    const stuck = { ...guard, undo: raw('false') }
    const { became } = (await target.guarded?.(change, stuck, quiet)) ?? {}
    expect(became).toMatch(
      /^reverting it failed \(.*\); the revert stays armed, and the host runs it within 30 seconds$/,
    )
    expect((await lab.exec('systemctl stop infra-revert-test.timer')).code).toBe(0)
  })

  test('nothing is called reverted before a new connection gets in, and the revert stays armed until then', async () => {
    const target = connect()
    await target.ask([sh`true`])
    const shut = raw('systemctl stop ssh.service ssh.socket')
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/undone` }
    const error = await failure(target.guarded?.([shut], guard, () => {}))
    expect(error.message).toMatch(/it was undone, but still no new connection gets in, so access may be lost/)
    expect(error.message).toMatch(/the revert stays armed, and the host runs it within 30 seconds$/)
    expect(error.message).not.toMatch(/reverted/)
    expect(error.remedy).toMatch(/console/)
    expect((await lab.exec('systemctl is-active infra-revert-test.timer')).stdout).toBe('active\n')
    await lab.exec('systemctl stop infra-revert-test.timer; systemctl start ssh.service')
  })

  test('a guarded change is reverted by the host alone when we are killed', async () => {
    const { process, says } = await child({
      script: 'systemctl stop ssh.service; echo cut; sleep 600',
      undo: 'systemctl start ssh.service',
    })
    await says('cut')
    process.kill('SIGKILL')
    expect((await failure(connect().ask([sh`true`]))).message).toMatch(/refuses|does not answer/)
    await holds('it to be so', async () => (await lab.exec('systemctl is-active ssh.service')).code === 0)
    expect((await connect().ask([sh`echo in`]))[0]?.stdout).toBe('in\n')
  })

  test('a secret is in no argument list on either side while it is used, and in no file after', async () => {
    const value = 'Sw0rdf1sh-in-the-night'
    const target = connect()
    await target.ask([sh`true`])
    const using = raw(`cat >/dev/null; touch /root/used; ${awaits('/root/looked')}`)
    const running = target.run([withStdin(using, text`${secret(value)}`)], () => {})
    await holds('the secret to be used', async () => (await lab.exec('ls /root/used')).code === 0)
    const there = (await lab.exec('cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"')).stdout
    const encoded = Buffer.from(value).toString('base64')
    await lab.exec('touch /root/looked')
    expect((await running)[0]?.code).toBe(0)
    for (const form of [value, encoded]) expect(there).not.toContain(form)
    expect((await lab.exec(`grep -rlE '${value}|${encoded}' /tmp /root /var/tmp /run 2>/dev/null`)).stdout).toBe('')
  })

  async function strangersKey(): Promise<string> {
    const made = await lab.exec('rm -f /tmp/key*; ssh-keygen -q -t ed25519 -N "" -f /tmp/key && cat /tmp/key')
    const path = join(folder, 'strangers-key')
    await writeFile(path, made.stdout, { mode: 0o600 })
    return path
  }
})
