import { raw, sh } from '@infra/shared/command/sh'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requireLab, title } from './prerequisites.ts'
import { failure, holds, type SshWorld, sshWorld } from './ssh-world.ts'

const noHost = requireLab('host')

describe.skipIf(noHost)(title('a change that is confirmed or reverted', noHost), () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await sshWorld()
  })
  afterEach(() => world.tidy())
  afterAll(() => world?.close())

  test('a guarded change that cuts off new connections is reverted at once', async () => {
    const target = world.connect()
    await target.ask([sh`true`])
    // Not just a word: what systemd would make of `$` and `%` must not change it.
    const undo = raw(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: shell
      'unit=ssh; for end in service; do [ "$(printf %s x)$$" = x ] || systemctl start "${unit}.$end"; done',
    )
    const guard = { name: 'test', seconds: 30, undo }
    const error = await failure(target.guarded?.([raw('systemctl stop ssh.service ssh.socket')], guard, () => {}))
    expect(error.message).toMatch(/no new connection could be made; it was reverted/)
    expect((await world.connect().ask([sh`systemctl is-active infra-revert-test.timer`]))[0]?.stdout).toBe('inactive\n')
  })

  test('a guarded change that holds is kept, and its revert disarmed', async () => {
    const target = world.connect()
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/reverted` }
    const done = await target.guarded?.([sh`echo kept`], guard, () => {})
    expect(done?.became).toBeUndefined()
    expect(done?.outputs.map(({ stdout }) => stdout.trim())).toEqual(['kept'])
    expect((await world.lab.exec('systemctl is-active infra-revert-test.timer')).stdout).toBe('inactive\n')
    expect((await world.lab.exec('ls /root/reverted')).code).not.toBe(0)
  })

  test('of a guarded change that fails it is said what became of it', async () => {
    const target = world.connect()
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/undone` }
    const [change, quiet] = [[raw('exit 3')], () => {}] as const
    expect(await target.guarded?.(change, guard, quiet)).toMatchObject({
      became: expect.stringMatching(/^it was reverted/),
    })
    expect((await world.lab.exec('rm /root/undone')).code).toBe(0)
    const stuck = { ...guard, undo: raw('false') }
    const { became } = (await target.guarded?.(change, stuck, quiet)) ?? {}
    expect(became).toMatch(
      /^reverting it failed \(.*\); the revert stays armed, and the host runs it within 30 seconds$/,
    )
    expect((await world.lab.exec('systemctl stop infra-revert-test.timer')).code).toBe(0)
  })

  test('nothing is called reverted before a new connection gets in, and the revert stays armed until then', async () => {
    const target = world.connect()
    await target.ask([sh`true`])
    const shut = raw('systemctl stop ssh.service ssh.socket')
    const guard = { name: 'test', seconds: 30, undo: sh`touch /root/undone` }
    const error = await failure(target.guarded?.([shut], guard, () => {}))
    expect(error.message).toMatch(/it was undone, but still no new connection gets in, so access may be lost/)
    expect(error.message).toMatch(/the revert stays armed, and the host runs it within 30 seconds$/)
    expect(error.message).not.toMatch(/reverted/)
    expect(error.remedy).toMatch(/console/)
    expect((await world.lab.exec('systemctl is-active infra-revert-test.timer')).stdout).toBe('active\n')
    await world.lab.exec('systemctl stop infra-revert-test.timer; systemctl start ssh.service')
  })

  test('a guarded change is reverted by the host alone when we are killed', async () => {
    const { process, says } = await world.child({
      script: 'systemctl stop ssh.service; echo cut; sleep 600',
      undo: 'systemctl start ssh.service',
    })
    await says('cut')
    process.kill('SIGKILL')
    expect((await failure(world.connect().ask([sh`true`]))).message).toMatch(/refuses|does not answer/)
    await holds('it to be so', async () => (await world.lab.exec('systemctl is-active ssh.service')).code === 0)
    expect((await world.connect().ask([sh`echo in`]))[0]?.stdout).toBe('in\n')
  })

  test('a guarded change whose host loses its power before anybody confirms it is undone before sshd starts', async () => {
    const deny = '/etc/ssh/sshd_config.d/00-out.conf'
    const { process, says } = await world.child({
      script: `echo DenyUsers root >${deny}; systemctl restart ssh.service; echo cut; sleep 600`,
      undo: `rm -f ${deny}; systemctl restart ssh.service`,
      undoAtBoot: `rm -f ${deny}; systemctl is-active ssh.service >/root/at-boot || true`,
      seconds: 300,
    })
    await says('cut')
    process.kill('SIGKILL')
    expect((await failure(world.connect().ask([sh`true`]))).message).toMatch(/permission denied/)
    await world.lab.powerOff('hard')
    await world.lab.powerOn()
    expect((await world.connect().ask([sh`cat /root/at-boot`]))[0]?.stdout).toBe('inactive\n')
    const left = `ls /etc/systemd/system /var/lib/infra/revert | grep -E 'child|revert-c'
journalctl -b -q -o cat _PID=1 | grep -iE 'ordering cycle|infra-revert-child.*failed'`
    expect((await world.lab.exec(left)).stdout).toBe('')
  })

  test('what a killed run left armed is confirmed as it is; where nobody gets in, undone as that run meant it', async () => {
    const begin = async () => {
      const { process, says } = await world.child({
        script: 'echo made; sleep 600',
        undo: 'touch /root/meant; systemctl start ssh.service',
        seconds: 300,
      })
      await says('made')
      process.kill('SIGKILL')
      await world.tidy()
    }
    const state = 'ls /root/meant /etc/systemd/system/infra-revert-child.timer 2>/dev/null'
    const guard = { name: 'child', seconds: 300 }
    await begin()
    expect(await world.connect().guarded?.([sh`true`], guard, () => {})).not.toHaveProperty('became')
    expect((await world.lab.exec(state)).stdout).toBe('')
    await begin()
    const target = world.connect()
    await target.ask([sh`true`])
    const error = await failure(target.guarded?.([raw('systemctl stop ssh.service ssh.socket')], guard, () => {}))
    expect(error.message).toMatch(/no new connection could be made; it was reverted/)
    expect((await world.lab.exec(state)).stdout).toBe('/root/meant\n')
  })
})
