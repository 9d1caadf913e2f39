import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { raw, sh } from '@infra/shared/command/sh'
import type { SshAddress } from '@infra/shared/targets/ssh/connection'
import { type SshTarget, ssh } from '@infra/shared/targets/ssh/ssh'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { awaits, awaitsThat } from '../support/wait.ts'
import { bootHost, type LabHost } from './host.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { addSlowUser } from './unkind.ts'

const noHost = requireLab('host')

describe.skipIf(noHost)(title('the shells of an ssh connection', noHost), () => {
  let lab: LabHost
  let folder: string
  const open: SshTarget[] = []
  const connect = (more: Partial<SshAddress> = {}) => {
    const knownHosts = join(folder, 'known_hosts')
    const target = ssh({ host: lab.address, port: 22, user: 'root', keyFile: lab.keyFile, knownHosts, ...more })
    open.push(target)
    return target
  }
  const make = async (target: SshTarget, line: string) => (await target.run([raw(line)], () => {}))[0]
  const numbered = Array.from({ length: 41 }, (_, index) => raw(`echo ${index}; exit ${index}`))

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ssh-shells-'))
    lab = await bootHost()
    await addSlowUser(lab)
    // It waits while the other tests work.
    const target = slowly()
    slowLogin = target.ask([sh`id -un`]).finally(() => target.close())
    slowLogin.catch(() => {})
  })
  afterEach(async () => {
    for (const target of open.splice(0)) await target.close()
  })
  afterAll(async () => {
    await lab?.destroy()
    await rm(folder, { recursive: true, force: true })
  })

  const slowly = (more: Partial<SshAddress> = {}) => {
    const knownHosts = join(folder, 'known_hosts')
    return ssh({ host: lab.address, port: 22, user: 'slow', keyFile: lab.keyFile, knownHosts, ...more })
  }
  let slowLogin: Promise<readonly { stdout: string }[]>

  // As `type base64`, and its fingerprint.
  const hostKey = async (path: string) => {
    const { stdout } = await lab.exec(`cut -d ' ' -f 1,2 ${path}; ssh-keygen -lf ${path} | cut -d ' ' -f 2`)
    return stdout.trim().split('\n') as [string, string]
  }

  test('a first contact is told once, with the key to compare and to pin', async () => {
    const told: string[] = []
    const target = connect({ knownHosts: join(folder, 'new'), tell: (text) => void told.push(text) })
    await target.ask([sh`true`])
    const again = connect({ knownHosts: join(folder, 'new'), tell: (text) => void told.push(text) })
    await again.ask([sh`true`])
    const [key, print] = await hostKey('/etc/ssh/ssh_host_ed25519_key.pub')
    expect(told).toEqual([expect.stringContaining(print)])
    expect(told[0]).toContain(`VALENCE_SSH_HOST_KEY='${key}'`)
  })

  test('whoever answers in the place of a host whose key is pinned is refused at first contact', async () => {
    await lab.exec('ssh-keygen -q -t ed25519 -N "" -f /tmp/other')
    const [other] = await hostKey('/tmp/other.pub')
    const stranger = connect({ hostKey: other, knownHosts: join(folder, 'none') })
    await expect(stranger.ask([sh`touch /tmp/reached`])).rejects.toThrow(/not the one that VALENCE_SSH_HOST_KEY names/)
    expect((await lab.exec('ls /tmp/reached || true')).stdout).toBe('')
    const told: string[] = []
    const [own] = await hostKey('/etc/ssh/ssh_host_ed25519_key.pub')
    const target = connect({ hostKey: own, knownHosts: join(folder, 'none'), tell: (text) => void told.push(text) })
    expect((await target.ask([sh`echo in`]))[0]?.stdout).toBe('in\n')
    expect(told).toEqual([])
  })

  test('many questions are asked by two side by side, and each gets its own answer', async () => {
    const target = connect()
    // Each waits until the other is there as well.
    const meet = (own: string, other: string) => raw(`touch /tmp/${own}; ${awaits(`/tmp/${other}`)}`)
    for (const [here, there] of [
      ['a', 'b'],
      ['c', 'd'],
    ] as const) {
      const [one, other, ...answers] = await target.ask([meet(here, there), meet(there, here), ...numbered])
      expect([one?.code, other?.code]).toEqual([0, 0])
      expect(answers.map(({ code, stdout }) => [code, Number(stdout)])).toEqual(numbered.map((_, at) => [at, at]))
    }
  })

  test('one change after another is made by the one that waits; one that is gone is replaced', async () => {
    const target = connect()
    await target.ask([sh`true`])
    const shell = async () => (await make(target, 'echo $$'))?.stdout.trim()
    const first = await shell()
    expect(await shell()).toBe(first)
    await lab.exec(`kill -9 ${first}`)
    // Until we are told that it is gone, a change may still be given to it, and fails.
    const another = async () => (await shell().catch(() => first)) !== first
    await until('another shell', 20_000, async () => (await another()) || undefined)
  })

  test('what a change left running prints into no answer, and its end is seen', async () => {
    const target = connect()
    const chatter = awaitsThat('{ echo late; echo late >&2; echo >>/tmp/late; [ -e /tmp/quiet ]; }')
    // A command during which it prints.
    const during = `lines=$(wc -l </tmp/late); ${awaitsThat('[ $(wc -l </tmp/late) -gt $((lines + 1)) ]')}`
    expect((await make(target, `(trap '' PIPE; ${chatter}) & echo done`))?.code).toBe(0)
    for (let round = 0; round < 5; round += 1) {
      const answers = await target.ask([raw(`${during}; cat /etc/hostname`), ...numbered])
      expect(answers[0]).toEqual({ code: 0, stdout: expect.not.stringContaining('late'), stderr: '' })
      expect((await make(target, `${during}; exit 7`))?.code).toBe(7)
    }
    await lab.exec('touch /tmp/quiet')
  })

  test.each([0, 1])(
    'one that dies under its questions is told at once, whichever of the two it was: %s',
    async (at) => {
      const target = connect()
      // What asks them all is the one child of the shell that reads.
      const kill = raw('pkill -9 -P $$; exit 1')
      const questions = [...numbered]
      questions[at] = kill
      await target.ask([sh`true`])
      await expect(target.ask(questions)).rejects.toThrow(/lost|ended/)
    },
  )

  test('a login that takes long is waited for; one that takes longer is told as what it is', async () => {
    expect(await slowLogin).toMatchObject([{ stdout: 'root\n' }])
    const target = slowly({ loginSeconds: 2 })
    const error = await target.ask([sh`true`]).catch((thrown: unknown) => thrown)
    await target.close()
    expect(error).toMatchObject({
      kind: 'unreachable',
      message: `logged in to slow@${lab.address}, but the host did not answer for 2 s`,
      remedy: expect.stringContaining('PAM'),
    })
  })

  test('what a login shell prints by itself is in no output of a program with streams of its own', async () => {
    for (const as of ['root', 'login'] as const) {
      const said = { stdout: '', stderr: '' }
      const hear = (stream: keyof typeof said) => (chunk: string) => {
        said[stream] += chunk
      }
      const line = 'cat; echo told >&2; exit 3'
      const running = await connect().attach({ line, as, stdout: hear('stdout'), stderr: hear('stderr') })
      running.write('in')
      running.end()
      expect(await running.ended).toBe(3)
      expect(said.stdout).toBe('in')
      expect(said.stderr).toMatch(as === 'root' ? /^told\n$/ : /told\n$/)
    }
    expect((await lab.exec('cat /root/.bashrc')).stdout).toMatch(/^echo "welcome/)
  })
})
