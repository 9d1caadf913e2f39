import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Pin, parsePins, printOf } from '@infra/shared/command/pins'
import { askOf } from '@infra/shared/engine/ask'
import type { Step } from '@infra/shared/engine/step'
import { signingKeyState } from '@infra/shared/facts/host/signing-key'
import { signingKey } from '@infra/shared/steps/host/signing-key'
import { blank } from '@infra/shared/targets/blank'
import { withPins } from '@infra/shared/targets/pins'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../../support/local-target.ts'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const newKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
const [own, other] = [newKey(), newKey()]
const pinned = (...keys: string[]): Pin[] => keys.map((key) => ({ key, since: '2026-11-01' }))

const planned = signingKey(blank('a host'), '/k', { pins: '/x/.infra/archives/pod.keys', signs: 'backups' })

test.each<[string, { now: unknown; pinned: Pin[] }, string | RegExp]>([
  ['on a new host', { now: null, pinned: [] }, '+ key that signs backups; its public half pinned on this machine'],
  ['on a host made anew', { now: null, pinned: pinned(other) }, /^\+ key that signs backups/],
  [
    'of a host that another machine deployed',
    { now: { key: own, isPrivate: true }, pinned: [] },
    /^\+ SHA256:\S+, which/,
  ],
  ['that is pinned', { now: { key: own, isPrivate: true }, pinned: pinned(other, own) }, /^= SHA256:\S+, pinned 2026-/],
  [
    'that somebody changed',
    { now: { key: own, isPrivate: true }, pinned: pinned(other) },
    /^! the key .* is not one that/,
  ],
  ['that others can read', { now: { key: own, isPrivate: false }, pinned: pinned(own) }, /^! \/k .* read by others/],
])('a key %s', (_, facts, says) => {
  const [said] = told(planned.plan(facts as never, { pending: [] }))
  expect(said).toMatch(says)
  const decision = planned.plan(facts as never, { pending: [] })
  if (decision.kind === 'refused') expect(decision.remedy).toContain(`.infra/archives/pod.keys`)
})

test.each([
  ['', []],
  [`# mine\n\n${own}\n${other} 2026-11-01T00:00:00Z\n`, ['by hand', '2026-11-01T00:00:00Z']],
])('a file of pins %j', (text, since) => {
  expect(parsePins(text).map((pin) => pin.since)).toEqual(since)
})

test.each([`${own}x\n`, 'ssh-ed25519 AAAA\n', `${own.slice(0, -8)}\n`])('%j is not a pin', (text) => {
  expect(() => parsePins(text)).toThrow(/is not a public key/)
})

// The key must be root's.
describe.skipIf(process.getuid?.() !== 0)('on a host with a real openssl', () => {
  const open = (tell?: (text: string) => void) => {
    const folder = tempFolder()
    const pins = join(folder, '.infra/archives/pod.keys')
    const key = join(folder, 'lib/key.pem')
    const host = withPins(localTarget(folder), tell)
    return { host, key, pins, step: signingKey(host, key, { pins, signs: 'backups' }) }
  }
  const decide = async (step: Step) => step.plan(await askOf(step.on, step.ask), { pending: [] })
  const apply = async (step: Step) => {
    const decision = await decide(step)
    for (const { run } of decision.kind === 'changes' ? decision.changes : [])
      for (const { code, stderr } of await step.on.run(run, () => {})) expect(code, stderr).toBe(0)
  }

  test('it is made, pinned and shown once, and then nothing is left to do', async () => {
    const heard: string[] = []
    const { host, key, pins, step } = open((text) => heard.push(text))
    await apply(step)
    const { now } = await askOf(host, { now: signingKeyState(key) })
    expect(now?.isPrivate).toBe(true)
    expect(heard).toEqual([expect.stringContaining(`pinned ${printOf(now?.key ?? '')} in ${pins}`)])
    expect(told(await decide(step))).toEqual([expect.stringMatching(/^= SHA256:/)])
    expect([pins, dirname(pins), key].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual([
      '600',
      '700',
      '600',
    ])
    expect(readFileSync(pins, 'utf8')).not.toContain('PRIVATE')
    expect(existsSync(`${key}.new`)).toBe(false)
  })

  test('one that is there is pinned as it is; another in its place is refused until its line is added', async () => {
    const { host, key, pins, step } = open()
    await apply(step)
    writeFileSync(pins, '')
    await apply(step)
    expect(told(await decide(step))).toEqual([expect.stringMatching(/^= SHA256:/)])
    await host.run([{ line: `openssl genpkey -algorithm ed25519 -out ${key}` }], () => {})
    const refused = await decide(step)
    expect(told(refused)).toEqual([expect.stringMatching(/^! the key .* is not one that is pinned/)])
    const line = refused.kind === 'refused' ? (refused.remedy.match(/echo (\S+) >>/)?.[1] ?? '') : ''
    writeFileSync(pins, `${readFileSync(pins, 'utf8')}${line}\n`)
    expect(told(await decide(step))).toEqual([expect.stringMatching(/^= SHA256:\S+, pinned by hand/)])
  })

  test('one that others could read is removed by the command, its line taken out, and another one made', async () => {
    const { key, pins, step } = open()
    await apply(step)
    const before = readFileSync(pins, 'utf8').trim().split(' ')[0] ?? ''
    chmodSync(key, 0o644)
    const decision = await decide(step)
    const remedy = decision.kind === 'refused' ? decision.remedy : ''
    const [, command = 'false', line = '', shown = ''] =
      remedy.match(/as root: (rm \S+)\. Here: take the line of (\S+) out of (\S+)\. Then deploy/) ?? []
    expect([line, pins.endsWith(shown)]).toEqual([before, true])
    for (const { code } of await step.on.run([{ line: command }], () => {})) expect(code).toBe(0)
    writeFileSync(
      pins,
      readFileSync(pins, 'utf8')
        .split('\n')
        .filter((one) => !one.startsWith(line))
        .join('\n'),
    )
    await apply(step)
    expect(told(await decide(step))).toEqual([expect.stringMatching(/^= SHA256:/)])
    expect(readFileSync(pins, 'utf8')).not.toContain(before)
  })

  test('what is no key, and pins that cannot be read, are never taken for none', async () => {
    const { key, pins, step } = open()
    mkdirSync(dirname(key))
    writeFileSync(key, 'nonsense', { mode: 0o600 })
    await expect(decide(step)).rejects.toThrow(/holds no ed25519 key/)
    mkdirSync(pins, { recursive: true })
    await expect(decide(signingKey(step.on, `${key}.none`, { pins, signs: 'backups' }))).rejects.toThrow(/EISDIR/)
  })
})
