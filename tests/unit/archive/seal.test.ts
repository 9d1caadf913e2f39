import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { headBytes, headOf, readHead, statementOf } from '@infra/shared/archive/head'
import { bodyDigest, judgeArchive, reserveHead, sealArchive, type Trust } from '@infra/shared/archive/seal'
import { sayVerdict, stranger } from '@infra/shared/archive/verdict'
import { Failure } from '@infra/shared/engine/failure'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../support/temp.ts'

const of = 'pod pod.example.com'
const made = '2026-11-24T15:30:00Z'
const body = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), randomBytes(3_000_000)])
const key = 'a'.repeat(64)
const trust: Trust = { of, key, pins: [] }

/** An archive that a command has fetched. */
async function sealed(by = key, about: { of?: string } = {}): Promise<string> {
  const path = join(tempFolder(), 'archive')
  const file = openSync(path, 'wx+')
  reserveHead(file)
  writeSync(file, body)
  sealArchive(file, { of: about.of ?? of, made, sha256: await bodyDigest(file) }, by)
  closeSync(file)
  return path
}

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const der = publicKey.export({ format: 'der', type: 'spki' })
  return { privateKey, pin: { key: der.toString('base64'), since: '2026-11-01T00:00:00Z' }, der }
}

/** An archive that a host's timer made. */
function signed({ privateKey, der }: ReturnType<typeof pair>): string {
  const path = join(tempFolder(), 'archive')
  const sha256 = createHash('sha256').update(body).digest('hex')
  const statement = statementOf({ of, made, bytes: body.length, sha256 })
  const value = sign(null, Buffer.from(statement), privateKey).toString('base64')
  const name = createHash('sha256').update(der).digest('hex').slice(0, 16)
  writeFileSync(path, Buffer.concat([headOf(statement, { by: 'ed25519', key: name, value }), body]))
  return path
}

const failureOf = async (path: string, more: Partial<Trust> = {}): Promise<Failure> => {
  const error = await judgeArchive(path, { ...trust, ...more }).then(
    ({ verdict }) => new Error(`it was taken: ${JSON.stringify(verdict)}`),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Failure)
  return error as Failure
}
const verdictOf = async (path: string, more: Partial<Trust> = {}) =>
  (await judgeArchive(path, { ...trust, ...more })).verdict

describe('an archive', () => {
  test('that was fetched is known by the operator’s key; what follows its head is the file of age', async () => {
    const path = await sealed()
    const { verdict, bodyAt } = await judgeArchive(path, trust)
    expect(verdict).toEqual({ kind: 'sealed', made })
    expect(readFileSync(path).subarray(bodyAt).equals(body)).toBe(true)
    expect(readFileSync(path, 'latin1')).not.toContain(key)
  })

  test('of a timer is known by a key that is pinned, also beside others', async () => {
    const pod = pair()
    const path = signed(pod)
    const pins = [pair().pin, pod.pin]
    expect(await verdictOf(path, { pins })).toEqual({ kind: 'signed', made, pinned: '2026-11-01T00:00:00Z' })
    expect(await verdictOf(path, { pins: [pair().pin] })).toMatchObject({
      kind: 'unknown',
      why: expect.stringMatching(/not pinned here/),
    })
  })

  test.each<[string, string | undefined, RegExp]>([
    ['by another operator', 'b'.repeat(64), /key of another operator/],
    ['where this machine has no key', undefined, /there is none here/],
  ])('that was sealed %s is unknown', async (_, own, why) => {
    expect(await verdictOf(await sealed(), { key: own })).toMatchObject({
      kind: 'unknown',
      why: expect.stringMatching(why),
    })
  })

  test('of an earlier version, or by somebody who has the public key alone, is unknown', async () => {
    const path = join(tempFolder(), 'archive')
    writeFileSync(path, body)
    expect(await judgeArchive(path, trust)).toMatchObject({ bodyAt: 0, verdict: { kind: 'unknown' } })
  })

  test.each([
    ['another byte anywhere', (bytes: Buffer) => bytes.fill((bytes[2_000_000] ?? 0) ^ 1, 2_000_000, 2_000_001)],
    ['a byte less', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['half of it', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['its head alone', (bytes: Buffer) => bytes.subarray(0, headBytes + 21)],
    ['a byte more', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['a part of its head', (bytes: Buffer) => bytes.subarray(0, 300)],
    ['something after its seal', (bytes: Buffer) => bytes.fill('x', headBytes - 10, headBytes - 9)],
  ])('with %s is refused whoever is trusted', async (_, damage) => {
    const path = await sealed()
    writeFileSync(path, damage(readFileSync(path)))
    for (const own of [key, undefined, 'b'.repeat(64)]) {
      const { message } = await failureOf(path, { key: own })
      expect(message).toMatch(/is (damaged or cut off|not an archive of backup)/)
    }
  })

  test.each<[string, (text: string) => string]>([
    ['its time', (text) => text.replace(made, '2026-11-25T15:30:00Z')],
    [
      'its seal',
      (text) => text.replace(/(hmac-sha256 \w{16} )(.)/, (_, head, first) => head + (first === '0' ? '1' : '0')),
    ],
  ])('with %s changed is a forgery', async (_, change) => {
    const path = await sealed()
    const head = readFileSync(path).subarray(0, headBytes).toString()
    writeFileSync(path, Buffer.concat([Buffer.from(change(head)), body]))
    expect((await failureOf(path)).message).toMatch(/its seal is forged; nothing was changed$/)
  })

  test('of other content under the head of a genuine one is a forgery, or damaged', async () => {
    const path = await sealed()
    const head = readHead(readFileSync(path).subarray(0, headBytes), path)
    const other = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), randomBytes(body.length - 22)])
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, headBytes), other]))
    expect((await failureOf(path)).message).toMatch(/damaged/)
    const sha256 = createHash('sha256').update(other).digest('hex')
    const statement = statementOf({ of, made, bytes: other.length, sha256 })
    if (head) writeFileSync(path, Buffer.concat([headOf(statement, head.seal), other]))
    expect((await failureOf(path)).message).toMatch(/forged/)
  })

  test('signed by another key in the name of a pinned one is a forgery', async () => {
    const [pod, stranger] = [pair(), pair()]
    const path = signed({ ...stranger, der: pod.der })
    expect((await failureOf(path, { pins: [pod.pin] })).message).toMatch(/forged/)
  })

  test('of another pod, another workspace or a later format is refused before its seal is looked at', async () => {
    expect((await failureOf(await sealed(key, { of: 'pod pod.example.org' }))).message).toMatch(
      /is of pod\.example\.org, this pod is pod\.example\.com/,
    )
    const stoat = await failureOf(await sealed(key, { of: 'stoat chat.example.com' }))
    expect(stoat).toMatchObject({
      message: expect.stringMatching(/is an archive of stoat, not of pod/),
      remedy: expect.stringContaining('restore -w stoat'),
    })
    const path = await sealed()
    writeFileSync(path, readFileSync(path, 'latin1').replace('infra-archive 1', 'infra-archive 2'), 'latin1')
    expect((await failureOf(path)).message).toMatch(/of format 2/)
  })

  test('that is no file of age is refused', async () => {
    const path = join(tempFolder(), 'archive')
    writeFileSync(path, 'not an archive at all, but long enough')
    expect((await failureOf(path)).message).toMatch(/not encrypted by age/)
    writeFileSync(path, '')
    expect((await failureOf(path)).message).toMatch(/not encrypted by age/)
  })

  test('that is changed after it was judged is noticed', async () => {
    const path = await sealed()
    const archive = await judgeArchive(path, trust)
    archive.assertSame()
    truncateSync(path, headBytes + 100)
    expect(() => archive.assertSame()).toThrow(/was changed while it was read/)
  })
})

test('who vouches for one is told in words, with its time', () => {
  const say = (verdict: Parameters<typeof sayVerdict>[0]) => sayVerdict(verdict, "the pod's timer")
  expect(say({ kind: 'sealed', made })).toBe(`the archive: made ${made}, sealed by this operator's key`)
  expect(say({ kind: 'signed', made, pinned: 'then' })).toBe(
    `the archive: made ${made}, signed by the pod's timer (key pinned then)`,
  )
  expect(say({ kind: 'unknown', why: 'why' })).toMatch(/UNKNOWN, why; .*--trust-archive/)
  expect(stranger('/x', 'why')).toMatchObject({
    message: 'nobody known here vouches for /x: why; nothing was changed',
    remedy: expect.stringContaining('.infra/archive.key'),
  })
})
