import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import type { LockRequest } from '@infra/shared/engine/target'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { awaits } from '../support/wait.ts'
import { requireLab, title } from './prerequisites.ts'
import { failure, holds, type SshWorld, sshWorld } from './ssh-world.ts'

const noHost = requireLab('host')

describe.skipIf(noHost)(title('the ssh target', noHost), () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await sshWorld()
  })
  afterEach(() => world.tidy())
  afterAll(() => world?.close())

  const lockRequest = (more: Partial<LockRequest> = {}): LockRequest => ({
    holder: 'the test',
    timeout: 0,
    waiting: () => {},
    ...more,
  })

  test('asks many questions and makes many changes over one connection', async () => {
    const logins = async () => Number((await world.lab.exec('journalctl -u ssh | grep -c "Accepted publickey"')).stdout)
    const before = await logins()
    const target = world.connect()
    const answers = await target.ask([sh`hostname`, sh`cat /nonexistent`, sh`nonesuch`])
    expect(answers.map(({ code }) => code)).toEqual([0, 1, 127])
    const outputs = await target.run([sh`echo one`, sh`false`, sh`touch /root/never`], () => {})
    expect(outputs.map(({ code }) => code)).toEqual([0, 1])
    expect((await world.lab.exec('ls /root/never')).code).not.toBe(0)
    expect(await logins()).toBe(before + 1)
  })

  test('a change is made while the questions that opened the connection are still under way', async () => {
    const target = world.connect()
    // The question is answered once the change is made: neither comes to its end if the change waits for the answer.
    const asked = target.ask([raw(`${awaits('/root/changed')}; echo $SSH_CONNECTION`)])
    const [ran] = await target.run([raw('echo $SSH_CONNECTION; touch /root/changed')], () => {})
    expect(ran?.stdout).toMatch(/^10\.77\./)
    expect((await asked)[0]).toMatchObject({ code: 0, stdout: ran?.stdout })
  })

  test('the connection and its folder are gone after close', async () => {
    const target = world.connect()
    await target.ask([sh`true`])
    await target.close()
    await holds('it to be so', async () => (await world.lab.exec('pgrep -f "sshd.*@notty"')).code !== 0)
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
    const error = await failure(world.connect(await more()).ask([sh`true`]))
    expect(error).toMatchObject({ kind: 'unreachable', message: expect.stringMatching(message) })
    expect(error.remedy).toMatch(remedy)
  })

  test('a host key that is not the one seen before stops the run', async () => {
    const knownHosts = join(world.folder, 'stranger')
    const other = (await world.lab.exec('ssh-keygen -q -t ed25519 -N "" -f /tmp/other && cat /tmp/other.pub')).stdout
    await writeFile(knownHosts, `${world.lab.address} ${other.split(' ').slice(0, 2).join(' ')}\n`)
    const error = await failure(world.connect({ knownHosts }).ask([sh`true`]))
    expect(error.message).toMatch(/host key .* is not the one seen before/)
    expect(error.remedy).toContain(`ssh-keygen -f ${knownHosts} -R`)
  })

  test('another user than root works by sudo, and says so when sudo wants a password', async () => {
    expect((await world.connect({ user: 'admin' }).ask([sh`id -un`]))[0]?.stdout).toBe('root\n')
    await world.lab.exec(
      'mkdir /root/sudoers && mv /etc/sudoers.d/* /root/sudoers/ && echo "admin ALL=(ALL) ALL" >/etc/sudoers.d/admin',
    )
    const error = await failure(world.connect({ user: 'admin' }).ask([sh`id -un`]))
    await world.lab.exec('rm /etc/sudoers.d/admin && mv /root/sudoers/* /etc/sudoers.d/')
    expect(error.message).toMatch(/sudo on .* wants a password/)
  })

  test('a host that is down is unreachable; a connection cut in mid-change says what is uncertain', async () => {
    const target = world.connect()
    await target.ask([sh`true`])
    const cut = failure(target.run([sh`sleep 600`], () => {}))
    await world.lab.partition()
    const [lost, down] = await Promise.all([cut, failure(world.connect().ask([sh`true`]))])
    expect(lost.message).toMatch(/was lost while running: sleep 600/)
    expect(lost.remedy).toMatch(/may or may not have been done/)
    expect(down.message).toMatch(/does not answer/)
    await world.lab.heal()
    expect((await world.connect().ask([sh`echo back`]))[0]?.stdout).toBe('back\n')
  })

  test('the lock has one holder, tells who it is, and is free after its release', async () => {
    const [one, two] = [world.connect(), world.connect()]
    const lock = await one.lock?.(lockRequest({ holder: "ana's laptop" }))
    const error = await failure(two.lock?.(lockRequest()))
    expect(error).toMatchObject({ kind: 'locked', message: expect.stringContaining("ana's laptop") })
    const waited = vi.fn()
    const second = two.lock?.(lockRequest({ timeout: 600, waiting: waited }))
    await holds('the second to wait', () => waited.mock.calls.length > 0)
    await lock?.release()
    await (await second)?.release()
    expect((await world.lab.exec('ls /run/infra/lock')).code).not.toBe(0)
  })

  test('a lock ends with its holder, even one that was killed, and waits for the change it left running', async () => {
    const script = `echo begun; ${awaits('/root/go')}; touch /root/finished`
    const { process, says } = await world.child({ script })
    await says('begun')
    process.kill('SIGKILL')
    const waited = vi.fn((holder: string) => {
      // Before that it may be told of the holder, until the host has noticed that it is gone.
      if (holder.includes('interrupted run')) void world.lab.exec('touch /root/go')
    })
    const lock = await world.connect().lock?.(lockRequest({ timeout: 600, waiting: waited }))
    expect((await world.lab.exec('ls /root/finished')).code).toBe(0)
    expect(waited.mock.calls.flat().join()).toContain('interrupted run')
    await lock?.release()
  })

  test('a lock without a sign of life expires; unlock removes any; a change notices that its lock is gone', async () => {
    const one = world.connect()
    await one.lock?.(lockRequest({ holder: 'asleep' }))
    await world.lab.exec('touch -d "3 minutes ago" /run/infra/lock')
    const two = world.connect()
    const lock = await two.lock?.(lockRequest())
    expect((await failure(one.run([sh`touch /root/fenced`], () => {}))).message).toMatch(/lock .* was lost/)
    expect((await world.lab.exec('ls /root/fenced')).code).not.toBe(0)
    expect(await world.connect().unlock?.()).toContain('the test')
    expect(await world.connect().unlock?.()).toBeUndefined()
    await lock?.release()
  })

  test('a secret is in no argument list on either side while it is used, and in no file after', async () => {
    const value = 'Sw0rdf1sh-in-the-night'
    const target = world.connect()
    await target.ask([sh`true`])
    const using = raw(`cat >/dev/null; touch /root/used; ${awaits('/root/looked')}`)
    const running = target.run([withStdin(using, text`${secret(value)}`)], () => {})
    await holds('the secret to be used', async () => (await world.lab.exec('ls /root/used')).code === 0)
    const there = (await world.lab.exec('cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"')).stdout
    const encoded = Buffer.from(value).toString('base64')
    await world.lab.exec('touch /root/looked')
    expect((await running)[0]?.code).toBe(0)
    for (const form of [value, encoded]) expect(there).not.toContain(form)
    expect((await world.lab.exec(`grep -rlE '${value}|${encoded}' /tmp /root /var/tmp /run 2>/dev/null`)).stdout).toBe(
      '',
    )
  })

  async function strangersKey(): Promise<string> {
    const made = await world.lab.exec('rm -f /tmp/key*; ssh-keygen -q -t ed25519 -N "" -f /tmp/key && cat /tmp/key')
    const path = join(world.folder, 'strangers-key')
    await writeFile(path, made.stdout, { mode: 0o600 })
    return path
  }
})
