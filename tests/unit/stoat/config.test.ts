import { revealText, showText } from '@infra/shared/command/command'
import { reveal, secret } from '@infra/shared/command/secret'
import { toml } from '@infra/shared/command/toml'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { chooseKeys, secretContents, secretsDigest } from '../../../stoat/keys.ts'
import { caddyFiles, caddyfile } from '../../../stoat/manifests/caddyfile.ts'
import { overridesToml, publicOf, revoltToml } from '../../../stoat/manifests/revolt-toml.ts'
import { urlsOf } from '../../../stoat/urls.ts'
import { keys, stoatEnv } from './env.ts'

describe('TOML', () => {
  test('reads back as what it was made of, secrets too', () => {
    const odd = 'a"b\\c\ttab é \u0001'
    const text = toml({
      a: { text: odd, number: 7, yes: true, left: undefined },
      'a.b': { hidden: secret(odd) },
      c: {},
    })
    expect(parse(revealText(text))).toEqual({ a: { text: odd, number: 7, yes: true, b: { hidden: odd } } })
    expect(showText(text)).toContain('hidden = [secret]')
  })
  test('takes nothing that it cannot hold', () => {
    expect(() => toml({ a: { b: '\x7f' } })).toThrow('b holds a control character')
    expect(() => toml({ a: { b: 0.5 } })).toThrow('b is a number')
  })
})

test.each<[StoatEnv['STOAT_TLS'], string, string]>([
  ['gateway', 'https://stoat.example.com', 'wss://stoat.example.com/ws'],
  ['upstream', 'https://stoat.example.com', 'wss://stoat.example.com/ws'],
  ['none', 'http://localhost:8080', 'ws://localhost:8080/ws'],
])('every address follows from the domain and TLS %s', (STOAT_TLS, app, events) => {
  const urls = urlsOf({ STOAT_DOMAIN: 'stoat.example.com', STOAT_TLS })
  const { app: _, events: __, ...paths } = urls
  expect([urls.app, urls.events]).toEqual([app, events])
  for (const [name, url] of Object.entries(paths)) expect(url).toBe(`${app}/${name}`)
})

const smtp: Partial<StoatEnv> = {
  STOAT_SMTP_HOST: 'smtp.example.com',
  STOAT_SMTP_USERNAME: 'stoat',
  STOAT_SMTP_PASSWORD: secret('mail-password'),
  STOAT_SMTP_FROM: 'noreply@example.com',
}

describe('Revolt.toml', () => {
  const read = (more?: Partial<StoatEnv>) => parse(revoltToml(stoatEnv(more)))
  const hidden = (more?: Partial<StoatEnv>) => parse(revealText(overridesToml(stoatEnv(more), keys)))

  test('says where everything is', () => {
    expect(read()).toEqual({
      database: { mongodb: 'mongodb://stoat-mongodb:27017' },
      hosts: {
        app: 'https://stoat.example.com',
        api: 'https://stoat.example.com/api',
        events: 'wss://stoat.example.com/ws',
        autumn: 'https://stoat.example.com/autumn',
        january: 'https://stoat.example.com/january',
      },
      rabbit: { host: 'stoat-rabbitmq', port: 5672 },
      api: { registration: { invite_only: false }, security: { trust_cloudflare: true } },
      files: {
        s3: {
          endpoint: 'http://stoat-minio:9000',
          path_style_buckets: true,
          region: 'minio',
          default_bucket: 'revolt-uploads',
        },
      },
      features: {
        limits: {
          global: { body_limit_size: 21_000_000 },
          new_user: { file_upload_size_limit: { attachments: 20_000_000 } },
          default: { file_upload_size_limit: { attachments: 20_000_000 } },
        },
      },
    })
  })

  test.each<[what: string, more: Partial<StoatEnv>, found: object]>([
    ['mail by STARTTLS', smtp, { api: { smtp: { port: 587, use_tls: false, use_starttls: true } } }],
    [
      'mail by TLS',
      { ...smtp, STOAT_SMTP_TLS: 'tls', STOAT_SMTP_PORT: 465 },
      { api: { smtp: { port: 465, use_tls: true, use_starttls: false } } },
    ],
    ['invites', { STOAT_INVITE_ONLY: true }, { api: { registration: { invite_only: true } } }],
    [
      'small uploads',
      { STOAT_UPLOAD_LIMIT_MB: 1 },
      { features: { limits: { global: { body_limit_size: 7_000_000 } } } },
    ],
    [
      'another store',
      { STOAT_S3_ENDPOINT: 'https://s3.example.com', STOAT_S3_REGION: 'tor1', STOAT_S3_PATH_STYLE: false },
      { files: { s3: { endpoint: 'https://s3.example.com', region: 'tor1', path_style_buckets: false } } },
    ],
  ])('%s', (_, more, found) => {
    expect(read(more)).toMatchObject(found)
  })

  test('the overrides hold every secret, and Redis', () => {
    expect(
      hidden({ ...smtp, STOAT_GIF_KEY: secret('tenor-key-0123456'), STOAT_HCAPTCHA_KEY: secret('captcha-key') }),
    ).toEqual({
      database: { redis: 'redis://redis:6379/' },
      rabbit: { username: 'rabbituser', password: 'broker-password-1' },
      api: {
        smtp: { password: 'mail-password' },
        security: { tenor_key: 'tenor-key-0123456', captcha: { hcaptcha_key: 'captcha-key' } },
      },
      pushd: { vapid: { private_key: reveal(keys.vapid), public_key: publicOf(keys.vapid) } },
      files: {
        encryption_key: reveal(keys.encryption),
        s3: { access_key_id: 'minioautumn', secret_access_key: 'store-password-1' },
      },
    })
    const other = { STOAT_S3_ACCESS_KEY_ID: secret('key-id'), STOAT_S3_SECRET_ACCESS_KEY: secret('half-of-key') }
    expect(hidden({ ...other, STOAT_REDIS_URL: secret('rediss://r:6380/') })).toMatchObject({
      database: { redis: 'rediss://r:6380/' },
      files: { s3: { access_key_id: 'key-id', secret_access_key: 'half-of-key' } },
    })
  })

  test('no key stands in both, so that the order in which they are read is of no account', () => {
    const leaves = (table: object, path = ''): string[] =>
      Object.entries(table).flatMap(([key, value]) =>
        typeof value === 'object' ? leaves(value, `${path}${key}.`) : [path + key],
      )
    const all = { ...smtp, STOAT_HCAPTCHA_KEY: secret('captcha-key'), STOAT_HCAPTCHA_SITEKEY: 'site' }
    const both = leaves(read(all)).filter((key) => leaves(hidden(all)).includes(key))
    expect(both).toEqual([])
    expect(revoltToml(stoatEnv(all))).not.toMatch(/password|secret|captcha-key|private/)
  })
})

describe('keys', () => {
  const held = new Map([['encryption_key', secret('held-key')]])
  test('come from the environment, else from the cluster, else they are new', () => {
    const given = { STOAT_RABBITMQ_PASS: secret('given-password') }
    const chosen = chooseKeys(stoatEnv(given), held, keys)
    expect([chosen.rabbitmq, chosen.encryption, chosen.minio].map(reveal)).toEqual([
      'given-password',
      'held-key',
      'store-password-1',
    ])
  })

  test('RabbitMQ checks the password by the salt that the hash begins with', async () => {
    const { createHash } = await import('node:crypto')
    const definitions = secretContents(stoatEnv(), keys)['rabbitmq-definitions.json']
    if (!definitions) throw new Error('no definitions')
    const [user] = JSON.parse(reveal(definitions)).users
    const bytes = Buffer.from(user.password_hash, 'base64')
    const hash = createHash('sha256').update(bytes.subarray(0, 4)).update('broker-password-1').digest()
    expect([user.name, bytes.subarray(4)]).toEqual(['rabbituser', hash])
    expect(reveal(definitions)).not.toContain('broker-password-1')
  })

  test('the digest of what a pod reads changes with it, and with nothing else', () => {
    const digest = (more: Partial<typeof keys>) => {
      const all = { ...keys, ...more }
      return secretsDigest(all, secretContents(stoatEnv(), all), ['rabbitmq-definitions.json'])
    }
    expect(digest({})).toMatch(/^[0-9a-f]{16}$/)
    expect(digest({ minio: secret('another-password') })).toBe(digest({}))
    expect(digest({ rabbitmq: secret('another-password') })).not.toBe(digest({}))
  })
})

describe('the Caddyfile', () => {
  test('serves the domain, with a certificate', async () => {
    await expect(caddyfile(stoatEnv({ STOAT_ACME_EMAIL: 'admin@example.com' }))).toMatchFileSnapshot(
      'Caddyfile.gateway',
    )
  })
  test('believes a private directory by the file of its authority, which lies beside it', () => {
    const content = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    const env = stoatEnv({ STOAT_ACME_CA_FILE: { path: '/ca.pem', content } })
    expect(caddyfile(env)).toContain('\tacme_ca_root /etc/caddy/acme-ca.pem\n')
    expect(caddyFiles(env)['acme-ca.pem']).toBe(content)
    expect(Object.keys(caddyFiles(stoatEnv()))).toEqual(['Caddyfile'])
  })
  test('serves any name by plain HTTP behind a proxy', async () => {
    const env = stoatEnv({ STOAT_TLS: 'upstream', STOAT_GATEWAY: 'cluster-ip' })
    await expect(caddyfile(env)).toMatchFileSnapshot('Caddyfile.upstream')
  })
  test('trusts nobody’s word of who the client is without a proxy', () => {
    expect(caddyfile(stoatEnv({ STOAT_TLS: 'none', STOAT_GATEWAY: 'cluster-ip' }))).not.toMatch(
      /trusted_proxies|proxy_protocol/,
    )
    expect(caddyfile(stoatEnv())).not.toContain('trusted_proxies')
  })
})
