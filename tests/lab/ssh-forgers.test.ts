import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askUser, asUser } from '@infra/shared/command/as-user'
import { plainText } from '@infra/shared/command/command'
import { quote, raw, withStdin } from '@infra/shared/command/sh'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { awaitsThat } from '../support/wait.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { type SshWorld, sshWorld } from './ssh-world.ts'

const noHost = requireLab('host')

describe.skipIf(noHost)(title('user valence, whose programs root asks', noHost), () => {
  let world: SshWorld
  const exec = async (script: string) => (await world.lab.exec(script)).stdout
  /** What root runs as valence: valence may put anything in its place. */
  const python = '/home/valence/venv/bin/python'
  const run = `exec ${python} /home/valence`
  const secret = 'what only root may read'
  /** Waits until what was left behind has gone through all descriptors once more. */
  const during = `n=$(wc -l </home/valence/rounds); ${awaitsThat('[ $(wc -l </home/valence/rounds) -gt $((n + 2)) ]')}`
  const answers = Array.from({ length: 12 }, (_, index) => raw(`echo ${index}; echo err ${index} >&2; exit ${index}`))
  const expected = answers.map((_, index) => ({ code: index, stdout: `${index}\n`, stderr: `err ${index}` }))
  const left = async () => (await exec(`pgrep -u valence -f ${python} || true`)).trim() !== ''

  beforeAll(async () => {
    world = await sshWorld()
    const program = await readFile(join(import.meta.dirname, 'forger.pl'), 'utf8')
    await exec(`useradd -m -s /bin/bash valence; mkdir -p /home/valence/venv/bin; install -m 600 /dev/null /root/secret; echo ${quote(secret)} >/root/secret
cat >${python} <<'END'\n${program}END\nchmod 755 ${python}; chown -R valence: /home/valence`)
  })
  afterEach(async () => {
    await exec('pkill -9 -u valence; rm -f /home/valence/rounds /home/valence/stolen /home/valence/stop; true')
    await world.tidy()
  })
  afterAll(() => world?.close())

  const expectNothingStolen = async () => expect(await exec('cat /home/valence/stolen')).not.toContain(secret)

  /** Asks while it is at work, and expects that each answer is the one of its question. */
  const expectAnswers = async (target: SshTarget) => {
    const [secretly, ...others] = await target.ask([raw(`${during}; cat /root/secret`), ...answers])
    expect(secretly).toEqual({ code: 0, stdout: `${secret}\n`, stderr: '' })
    expect(others).toEqual(expected)
  }

  test('a process that a question has left behind prints into no other answer, reads none, and holds nothing up', async () => {
    const target = world.connect()
    // It opens the connection; others are answered beside it, and after it.
    const began = performance.now()
    const [mine, ...beside] = await target.ask([
      askUser('valence', run),
      raw(`${awaitsThat('[ -s /home/valence/rounds ]')}; cat /root/secret`),
      ...answers,
    ])
    expect(mine).toMatchObject({ code: 0, stdout: expect.stringContaining('mine') })
    expect(beside).toEqual([{ code: 0, stdout: `${secret}\n`, stderr: '' }, ...expected])
    expect(await left()).toBe(true)
    for (let round = 0; round < 2; round += 1) await expectAnswers(target)
    const fed = withStdin(raw(`${during}; cat`), plainText(secret))
    expect((await target.ask([fed]))[0]?.stdout).toBe(secret)
    await target.close()
    expect(performance.now() - began).toBeLessThan(60_000)
    expect(await left()).toBe(true)
    await expectAnswers(world.connect())
    await expectNothingStolen()
    expect(await exec('ls -d /run/infra-* 2>/dev/null || true')).toBe('')
  })

  test('a process that a change has left behind prints into no other change, reads none, and keeps no lock', async () => {
    const target = world.connect()
    const lock = await target.lock?.({ holder: 'one', timeout: 0, waiting: () => {} })
    const heard: string[] = []
    const make = async (line: string) => (await target.run([raw(line)], (said) => heard.push(said)))[0]
    const [made] = await target.run([asUser('valence', run)], () => {})
    expect(made?.code).toBe(0)
    for (let round = 0; round < 2; round += 1) {
      expect(await make(`${during}; cat /root/secret; exit 7`)).toEqual({ code: 7, stdout: `${secret}\n`, stderr: '' })
      await expectAnswers(target)
    }
    expect(heard).toEqual([secret, secret])
    await lock?.release()
    expect(await left()).toBe(true)
    const next = world.connect()
    const waited: string[] = []
    const other = await next.lock?.({ holder: 'two', timeout: 0, waiting: (holder) => waited.push(holder) })
    expect(waited).toEqual([])
    await other?.release()
    await expectNothingStolen()
  })

  test('a process that stops whatever it may stops only questions of its own account, which end in time', async () => {
    const target = world.connect()
    await target.ask([askUser('valence', run)])
    await exec('touch /home/valence/stop')
    await exec('runuser -u valence -- sleep 1000 >/dev/null 2>&1 &')
    const stopped = async () => (await exec('ps -u valence -o stat=')).includes('T')
    await until('it to stop others', 20_000, async () => (await stopped()) || undefined)
    const [own, ...others] = await target.ask([
      { ...askUser('valence', 'exec sleep 1000'), timeoutSeconds: 5 },
      ...answers,
    ])
    expect(others).toEqual(expected)
    expect(own?.code).toBe(124)
    await expectNothingStolen()
  })

  test('a program that prints without end into both streams, and leaves others that do, ends the answer and no other', async () => {
    const target = world.connect()
    const endless = 'yes out & yes err >&2 & (setsid yes more &) ; exec yes'
    const before = await exec('df --output=used /run | tail -n 1')
    const [own, ...others] = await target.ask([askUser('valence', endless), ...answers])
    expect(own?.unanswered).toMatch(/more than \d+ MiB/)
    expect(others).toEqual(expected)
    expect(Number(await exec('df --output=used /run | tail -n 1')) - Number(before)).toBeLessThan(1024)
  })
})
