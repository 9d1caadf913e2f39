import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reveal } from '@infra/shared/command/secret'
import { generateMissing } from '@infra/shared/env/generate'
import { loadEnv } from '@infra/shared/env/load'
import { newVapidPrivate, vapidPublicOf } from '@infra/shared/env/vapid'
import { variablesOf } from '@infra/shared/env/variable'
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
  if (!env?.STOAT_ENCRYPTION_KEY || !env.STOAT_VAPID_PRIVATE_KEY) throw new Error('no keys')
  expect(env).toMatchObject({
    STOAT_IMAGES: 'revolt',
    STOAT_TLS: 'gateway',
    STOAT_GATEWAY: 'load-balancer',
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

const originals = { STOAT_RABBITMQ_PASS: 'rabbitpass', STOAT_MINIO_PASS: 'minioautumn' }
const s3 = { STOAT_S3_ACCESS_KEY_ID: 'DO00EXAMPLE', STOAT_S3_SECRET_ACCESS_KEY: 'aGVsbG8td29ybGQ' }
const smtp = {
  STOAT_SMTP_HOST: 'smtp.example.com',
  STOAT_SMTP_USERNAME: 'stoat',
  STOAT_SMTP_PASSWORD: 'hunter22',
  STOAT_SMTP_FROM: 'noreply@example.com',
}

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
  ['another weak password', { STOAT_RABBITMQ_PASS: 'rabbitpass1' }, /too short/],
  ["the other store's example password", { STOAT_MINIO_PASS: 'rabbitpass' }, /too short/],
  ['an unknown profile', { STOAT_IMAGES: 'latest' }, /none of revolt, stoat, next/],
  ['no domain', { STOAT_DOMAIN: '' }, /^STOAT_DOMAIN is not set/],
  ['an image without a tag', { STOAT_API_IMAGE: 'ghcr.io/stoatchat/api' }, /tag or digest/],
  ['half a digest', { STOAT_API_IMAGE: 'ghcr.io/stoatchat/api@sha256:12' }, /tag or digest/],
  ['an old MongoDB for next', { STOAT_IMAGES: 'next', STOAT_MONGODB_IMAGE: 'mongo:6' }, /needs MongoDB 7 or newer/],
  ['a store without its keys', { STOAT_S3_ENDPOINT: 'https://s3.example.com' }, /belongs together with/],
  ['a store in plain HTTP', { ...s3, STOAT_S3_ENDPOINT: 'http://s3.example.com' }, /plain http/],
  ['a Redis by HTTP', { STOAT_REDIS_URL: 'http://redis:6379' }, /not the URL of a Redis/],
  ['half a captcha', { STOAT_HCAPTCHA_SITEKEY: '10000000-ffff-ffff-ffff-000000000001' }, /STOAT_HCAPTCHA_KEY/],
  ['a mail server without a user', { STOAT_SMTP_HOST: 'smtp.example.com' }, /belongs together with/],
  ['STARTTLS at port 465', { ...smtp, STOAT_SMTP_PORT: '465' }, /speaks TLS from the first byte/],
  ['TLS at port 587', { ...smtp, STOAT_SMTP_TLS: 'tls' }, /begins in plain text/],
  ['TLS in Caddy behind a Gateway', { STOAT_GATEWAY: 'http-route' }, /brings plain HTTP to Caddy/],
  ['an upload of nothing', { STOAT_UPLOAD_LIMIT_MB: '0' }, /from 1 to 1000/],
])('%s is refused', (_, processEnv, message) => {
  const said = wrong(processEnv)
  expect(said).toEqual([expect.stringMatching(message)])
})

test.each<[what: string, processEnv: Record<string, string>]>([
  ['only a domain', {}],
  ["the original's passwords, which the deploy judges by what is in force", originals],
  ['another store', { ...s3, STOAT_S3_ENDPOINT: 'https://s3.example.com', STOAT_S3_REGION: 'tor1' }],
  ['mail by TLS', { ...smtp, STOAT_SMTP_PORT: '465', STOAT_SMTP_TLS: 'tls' }],
  ['your own Gateway', { STOAT_GATEWAY: 'http-route', STOAT_TLS: 'upstream', STOAT_GATEWAY_PARENT: 'infra/public' }],
  ['an image by digest', { STOAT_API_IMAGE: `ghcr.io/stoatchat/api:v1@sha256:${'0a'.repeat(32)}` }],
  ['a newer MongoDB by digest alone', { STOAT_IMAGES: 'next', STOAT_MONGODB_IMAGE: `mongo@sha256:${'0a'.repeat(32)}` }],
])('%s is enough', (_, processEnv) => {
  expect(load(folder(), processEnv).problems).toBeUndefined()
})

test('every example of a variable that is not secret passes its own type', () => {
  for (const { name, type, meta } of variablesOf(stoatSchema)) {
    // The type of a path reads the file, and a placeholder must not pass.
    if (meta.secret || meta.generate || meta.path || meta.placeholder) continue
    expect(type.safeParse(meta.example).success, `${name}=${meta.example}`).toBe(true)
  }
})
