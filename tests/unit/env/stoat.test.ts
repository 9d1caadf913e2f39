import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reveal } from '@infra/shared/command/secret'
import { generateMissing } from '@infra/shared/env/generate'
import { loadEnv } from '@infra/shared/env/load'
import { newVapidPrivate, vapidPublicOf } from '@infra/shared/env/vapid'
import { describe, expect, test } from 'vitest'
import { stoatSchema } from '../../../stoat/env/env.ts'
import { folder } from './place.ts'

const load = (root: string, processEnv: Record<string, string> = {}) =>
  loadEnv({ schema: stoatSchema, root, processEnv: { STOAT_DOMAIN: 'stoat.example.org', ...processEnv } })
const generate = (root: string) => generateMissing({ schema: stoatSchema, root, processEnv: {} })
const wrong = (processEnv: Record<string, string>) => {
  const root = folder()
  generate(root)
  return (load(root, processEnv).problems ?? []).map((one) => `${one.variable} ${one.message}`)
}

/** The two lines of generate_config.sh that make a pair, with the real openssl. */
function upstreamPair(): { privateKey: string; publicKey: string } {
  const root = folder()
  const script = `cd "$1"
openssl ecparam -name prime256v1 -genkey -noout -out vapid_private.pem
base64 -i vapid_private.pem | tr -d '\\n' | tr -d '='
echo
openssl ec -in vapid_private.pem -outform DER -pubout 2>/dev/null | tail -c 65 | base64 | tr '/+' '_-' | tr -d '\\n=' `
  const [privateKey = '', publicKey = ''] = execFileSync('bash', ['-c', script, 'bash', root], {
    encoding: 'utf8',
  }).split('\n')
  return { privateKey, publicKey }
}

test('generated values load, and openssl agrees that the pair belongs together', () => {
  const root = folder()
  expect(generate(root).written).toEqual([
    'STOAT_RABBITMQ_PASS',
    'STOAT_MINIO_PASS',
    'STOAT_ENCRYPTION_KEY',
    'STOAT_VAPID_PRIVATE_KEY',
    'STOAT_VAPID_PUBLIC_KEY',
  ])
  const { env, problems } = load(root)
  expect(problems).toBeUndefined()
  if (!env) return
  expect(env).toMatchObject({
    STOAT_IMAGES: 'seed',
    STOAT_RABBITMQ_USER: 'rabbituser',
    STOAT_MINIO_USER: 'minioautumn',
  })
  expect(Buffer.from(reveal(env.STOAT_ENCRYPTION_KEY), 'base64')).toHaveLength(32)

  const privateKey = reveal(env.STOAT_VAPID_PRIVATE_KEY)
  expect(privateKey).toMatch(/^[A-Za-z0-9]+$/)
  const pem = join(root, 'vapid.pem')
  writeFileSync(pem, Buffer.from(privateKey, 'base64url'))
  expect(readFileSync(pem, 'utf8')).toMatch(
    /^-----BEGIN EC PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END EC PRIVATE KEY-----\n$/,
  )
  const der = execFileSync('openssl', ['ec', '-in', pem, '-pubout', '-outform', 'DER'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  expect(der.subarray(-65).toString('base64url')).toBe(env.STOAT_VAPID_PUBLIC_KEY)
  expect(
    execFileSync('openssl', ['ec', '-in', pem, '-noout', '-text'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ).toContain('prime256v1')
})

test("the values of upstream's own script load", () => {
  for (let round = 0; round < 5; round++) {
    const { privateKey, publicKey } = upstreamPair()
    expect(vapidPublicOf(privateKey)).toBe(publicKey)
    expect(wrong({ STOAT_VAPID_PRIVATE_KEY: privateKey, STOAT_VAPID_PUBLIC_KEY: publicKey })).toEqual([])
  }
})

describe('half a pair', () => {
  test('a missing public key is made from the private one that is there', () => {
    const privateKey = newVapidPrivate()
    const root = folder({ '.env.stoat': `STOAT_VAPID_PRIVATE_KEY=${privateKey}\nSTOAT_VAPID_PUBLIC_KEY=\n` })
    expect(generate(root).written).toContain('STOAT_VAPID_PUBLIC_KEY')
    expect(readFileSync(join(root, '.env.stoat'), 'utf8')).toContain(
      `STOAT_VAPID_PUBLIC_KEY="${vapidPublicOf(privateKey)}"`,
    )
    expect(load(root).problems).toBeUndefined()
  })

  test('a missing private key cannot be made for a public one that is there', () => {
    const publicKey = vapidPublicOf(newVapidPrivate())
    const root = folder({ '.env.stoat': `STOAT_VAPID_PUBLIC_KEY=${publicKey}\n` })
    const { written, problems } = generate(root)
    expect(written).not.toContain('STOAT_VAPID_PRIVATE_KEY')
    expect(problems).toMatchObject([
      { variable: 'STOAT_VAPID_PRIVATE_KEY', message: expect.stringContaining('cannot be generated') },
    ])
    expect(readFileSync(join(root, '.env.stoat'), 'utf8')).toContain(`STOAT_VAPID_PUBLIC_KEY=${publicKey}\n`)
  })
})

const good = newVapidPrivate()
const pem = Buffer.from(good, 'base64url').toString()
const der = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'sec1', format: 'der' })
const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({ type: 'sec1', format: 'pem' })
const point = Buffer.from(vapidPublicOf(good) ?? '', 'base64url')
const off = Buffer.from(point)
off[64] = (off[64] ?? 0) ^ 1

test.each<[what: string, processEnv: Record<string, string>, message: RegExp]>([
  ['a pair of two keys', { STOAT_VAPID_PRIVATE_KEY: good }, /^STOAT_VAPID_PRIVATE_KEY does not belong/],
  ['PEM itself', { STOAT_VAPID_PRIVATE_KEY: pem }, /is PEM itself/],
  ['padding', { STOAT_VAPID_PRIVATE_KEY: `${good}=` }, /padded/],
  ['DER', { STOAT_VAPID_PRIVATE_KEY: der.toString('base64url') }, /is not base64 of an EC key in PEM/],
  ['another curve', { STOAT_VAPID_PRIVATE_KEY: Buffer.from(other).toString('base64url') }, /prime256v1/],
  ['cut', { STOAT_VAPID_PRIVATE_KEY: good.slice(0, 200) }, /is not base64 of an EC key/],
  ['the compiled public default', { STOAT_VAPID_PUBLIC_KEY: `BGcvgR-i2z4I${'A'.repeat(75)}` }, /public default/],
  ['a padded public key', { STOAT_VAPID_PUBLIC_KEY: point.toString('base64') }, /padded|not a VAPID public key/],
  ['a point off the curve', { STOAT_VAPID_PUBLIC_KEY: off.toString('base64url') }, /not a VAPID public key/],
  ['a short encryption key', { STOAT_ENCRYPTION_KEY: Buffer.from('Gf3kQz9LwX2mTr7V').toString('base64') }, /16 bytes/],
  ['the example password', { STOAT_RABBITMQ_PASS: 'rabbitpass' }, /placeholder/],
  ['the example password', { STOAT_MINIO_PASS: 'minioautumn' }, /placeholder/],
  ['an unknown profile', { STOAT_IMAGES: 'latest' }, /none of seed, current/],
  ['no domain', { STOAT_DOMAIN: '' }, /^STOAT_DOMAIN is not set/],
])('%s is refused', (_, processEnv, message) => {
  const said = wrong(processEnv)
  expect(said).toEqual([expect.stringMatching(message)])
})
