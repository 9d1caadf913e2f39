import { readFileSync } from 'node:fs'
import { revealText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { parse } from 'smol-toml'
import { beforeAll, describe, expect, test } from 'vitest'
import type { StoatEnv } from '../../stoat/env/env.ts'
import { overridesToml, revoltToml } from '../../stoat/manifests/revolt-toml.ts'
import { keys, stoatEnv } from '../unit/stoat/env.ts'
import { requireLab, title } from './prerequisites.ts'
import { readSettings, settingsReader } from './stoat/read-settings.ts'

const skip = requireLab('cargo')

const everything: Partial<StoatEnv> = {
  STOAT_INVITE_ONLY: true,
  STOAT_UPLOAD_LIMIT_MB: 50,
  STOAT_GIF_KEY: secret('a-key-of-the-tenor-api'),
  STOAT_SMTP_HOST: 'smtp.example.com',
  STOAT_SMTP_PORT: 465,
  STOAT_SMTP_TLS: 'tls',
  STOAT_SMTP_USERNAME: 'stoat',
  STOAT_SMTP_PASSWORD: secret('mail-"password" 7'),
  STOAT_SMTP_FROM: 'noreply@example.com',
  STOAT_SMTP_REPLY_TO: 'support@example.com',
  STOAT_HCAPTCHA_KEY: secret('0x0000000000000000'),
  STOAT_HCAPTCHA_SITEKEY: '10000000-ffff-ffff-ffff-000000000001',
  STOAT_REDIS_URL: secret('redis://redis.example.com:6379/'),
  STOAT_S3_ENDPOINT: 'https://tor1.digitaloceanspaces.com',
  STOAT_S3_REGION: 'tor1',
  STOAT_S3_PATH_STYLE: false,
  STOAT_S3_BUCKET: 'files-of-ours',
  STOAT_S3_ACCESS_KEY_ID: secret('ACCESSKEY'),
  STOAT_S3_SECRET_ACCESS_KEY: secret('secret/key+8'),
}

type Tree = { readonly [name: string]: unknown }

/** Every value of a tree by its path: `files.s3.region`. */
const leaves = (tree: unknown, path = ''): [string, unknown][] =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree)
    ? Object.entries(tree as Tree).flatMap(([name, value]) => leaves(value, path ? `${path}.${name}` : name))
    : [[path, tree]]

describe.skipIf(skip)(title("what upstream's own crate reads of our settings", skip), () => {
  beforeAll(settingsReader, 900_000)

  describe.each(['stoat', 'next'] as const)('in the release %s', (release) => {
    test.each<[what: string, env: Partial<StoatEnv>]>([
      ['of nothing but a domain', {}],
      ['of every variable', everything],
    ])('%s is what was meant, key by key, and all of it is used', async (_, env) => {
      const [shown, hidden] = [revoltToml(stoatEnv(env)), revealText(overridesToml(stoatEnv(env), keys))]
      const { read, ignored } = await readSettings(release, { 'Revolt.toml': shown, 'Revolt.overrides.toml': hidden })
      const meant = [...leaves(parse(shown)), ...leaves(parse(hidden))]
      const found = Object.fromEntries(leaves(read))
      expect(Object.fromEntries(meant.map(([path]) => [path, found[path]]))).toEqual(Object.fromEntries(meant))
      expect(meant.map(([path]) => path).filter((path) => ignored.includes(path))).toEqual([])
      expect(new Set(meant.map(([path]) => path)).size).toBe(meant.length)
    })

    test('a key that it does not know is told', async () => {
      const { ignored } = await readSettings(release, {
        'Revolt.toml': '[hosts]\nnowhere = "x"\n',
        'Revolt.overrides.toml': '',
      })
      expect(ignored).toContain('hosts.nowhere')
    })
  })
})

// The crate of 20250930-2 was never published. These keys are those that it used of all above, built by hand from its source.
describe('in the release revolt', () => {
  const used = JSON.parse(readFileSync(new URL('stoat/recorded/settings-20250930-2.json', import.meta.url), 'utf8'))
  test.each<[what: string, env: Partial<StoatEnv>]>([
    ['of nothing but a domain', {}],
    ['of every variable', everything],
  ])('%s all keys are used', (_, env) => {
    const texts = [revoltToml(stoatEnv(env)), revealText(overridesToml(stoatEnv(env), keys))]
    const meant = texts.flatMap((text) => leaves(parse(text))).map(([path]) => path)
    expect(meant.filter((path) => !used.includes(path))).toEqual([])
  })
})
