import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { reveal, type Secret } from '@infra/shared/command/secret'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type PodEnv, podPublicKeys } from '../../../pod/env/env.ts'
import { loadPod, wrongs } from './load-pod.ts'
import { folder, podFile, sshKey } from './place.ts'

test('types: what code reads', () => {
  expectTypeOf<PodEnv['VALENCE_POD_IP']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<PodEnv['VALENCE_DOMAIN']>().toEqualTypeOf<string>()
  expectTypeOf<PodEnv['VALENCE_DB_PASSWORD']>().toEqualTypeOf<Secret>()
  expectTypeOf<PodEnv['VALENCE_SSH_PORT']>().toEqualTypeOf<number>()
  expectTypeOf<PodEnv['VALENCE_CLAUDE_CODE']>().toEqualTypeOf<boolean>()
  expectTypeOf<PodEnv['VALENCE_REPO_TOKEN']>().toEqualTypeOf<Secret | undefined>()
})

test('a whole file: values, defaults, sources', () => {
  const loaded = loadPod({ '.env.pod': podFile() })
  expect(wrongs(loaded)).toEqual([])
  expect(loaded.warnings).toEqual([])
  expect(loaded.files).toEqual(['.env.pod'])
  expect(loaded.unconfigured).toBe(false)
  expect(loaded.env).toMatchObject({
    VALENCE_POD_IP: '198.51.100.7',
    VALENCE_SSH_PORT: 22,
    VALENCE_SSH_USER: 'root',
    VALENCE_POSTGRES_VERSION: 16,
    VALENCE_REPO_URL: 'https://github.com/ourochronos/valence.git',
    VALENCE_REPO_REF: 'v1.0.1',
    VALENCE_CLAUDE_CODE: true,
    VALENCE_CLAUDE_INSTALLER_URL: 'https://claude.ai/install.sh',
    VALENCE_TIMEZONE: 'UTC',
  })
  expect(loaded.env && reveal(loaded.env.VALENCE_DB_PASSWORD)).toBe('dbGf3kQz9LwX2mTr7Vn')
  expect(loaded.env && podPublicKeys(loaded.env).map((key) => key.comment)).toEqual(['me@here'])
  expect([loaded.sources.VALENCE_DOMAIN, loaded.sources.VALENCE_SSH_PORT]).toEqual(['.env.pod', 'default'])
  expect(loaded.values).not.toHaveProperty('VALENCE_SSH_PORT')
  for (const print of [
    inspect(loaded, { depth: 9, showHidden: true }),
    JSON.stringify(loaded),
    String(loaded.env?.OPENAI_API_KEY),
  ])
    expect(print).not.toMatch(/Gf3kQz9LwX2mTr7Vn/)
})

describe('the layers', () => {
  const files = {
    '.env.pod': podFile({ VALENCE_DOMAIN: 'pod.example.org' }),
    '.env': 'VALENCE_DOMAIN=low.example.org\nVALENCE_TIMEZONE=Asia/Tokyo\n',
  }

  test.each<[what: string, processEnv: Record<string, string>, name: string, value: string, source: string]>([
    ['the process wins', { VALENCE_DOMAIN: 'own.example.org' }, 'VALENCE_DOMAIN', 'own.example.org', 'environment'],
    ['then the workspace file', {}, 'VALENCE_DOMAIN', 'pod.example.org', '.env.pod'],
    ['then .env', {}, 'VALENCE_TIMEZONE', 'Asia/Tokyo', '.env'],
    ['an empty process value hides nothing', { VALENCE_DOMAIN: '' }, 'VALENCE_DOMAIN', 'pod.example.org', '.env.pod'],
  ])('%s', (_, processEnv, name, value, source) => {
    const loaded = loadPod(files, { processEnv })
    expect(loaded.env).toMatchObject({ [name]: value })
    expect(loaded.sources[name]).toBe(source)
    const told = loaded.warnings.filter(
      (one) => one.variable === name && /is empty in the environment/.test(one.message),
    )
    expect(told).toHaveLength(processEnv[name] === '' ? 1 : 0)
  })

  test('a blank in .env.pod falls through to .env, and a later blank does not undo a value', () => {
    const loaded = loadPod({ '.env.pod': podFile({ VALENCE_TIMEZONE: '' }), '.env': files['.env'] })
    expect(loaded.env?.VALENCE_TIMEZONE).toBe('Asia/Tokyo')
    expect(loadPod({ '.env.pod': `${podFile()}VALENCE_DOMAIN=\n` }).env?.VALENCE_DOMAIN).toBe('chat.example.org')
  })

  test('--env takes its own file in place of .env.pod, with .env below', () => {
    const loaded = loadPod(
      { ...files, '.env.pod.staging': podFile({ VALENCE_DOMAIN: undefined }) },
      { name: 'staging' },
    )
    expect(loaded.files).toEqual(['.env.pod.staging', '.env'])
    expect(loaded.env?.VALENCE_DOMAIN).toBe('low.example.org')
  })

  test('--env without its file, and with a name that is a path', () => {
    expect(loadPod(files, { name: 'stagin' }).problems?.[0]).toMatchObject({
      variable: '--env',
      message: expect.stringContaining('there is no file .env.pod.stagin'),
      remedy: expect.stringContaining('--env stagin --generate'),
    })
    expect(wrongs(loadPod(files, { name: '../x' }))[0]).toMatch(/^--env is not an environment name/)
    expect(loadPod(files, { name: 'stagin' }).unconfigured).toBe(false)
  })

  test('the former name of a variable', () => {
    const root = folder()
    const key = sshKey(root, 'ed25519')
    const loaded = loadPod({ '.env.pod': podFile({ ANSIBLE_PRIVATE_KEY_FILE: key }) })
    expect(loaded.env?.VALENCE_SSH_PRIVATE_KEY_FILE).toBe(key)
    expect(loaded.warnings).toEqual([
      {
        variable: 'ANSIBLE_PRIVATE_KEY_FILE',
        message: 'is a former name, still read',
        remedy: 'call it VALENCE_SSH_PRIVATE_KEY_FILE',
      },
    ])
    const both = podFile({ ANSIBLE_PRIVATE_KEY_FILE: '/nowhere', VALENCE_SSH_PRIVATE_KEY_FILE: key })
    expect(loadPod({ '.env.pod': both }).env?.VALENCE_SSH_PRIVATE_KEY_FILE).toBe(key)
  })
})

test('what a shell has for other programs as well does not win silently over a file', () => {
  const files = { '.env.pod': podFile({ OPENAI_API_KEY: 'sk-0123456789abcdefghijkl' }) }
  const told = (processEnv: Record<string, string>) => loadPod(files, { processEnv }).warnings
  expect(told({ OPENAI_API_KEY: 'sk-another-key-of-this-shell' })).toEqual([
    {
      variable: 'OPENAI_API_KEY',
      message: 'comes from the environment, which overrides .env.pod',
      remedy: 'unset OPENAI_API_KEY to use the value of the file',
    },
  ])
  expect(told({ OPENAI_API_KEY: 'sk-0123456789abcdefghijkl' })).toEqual([])
  expect(told({ VALENCE_DOMAIN: 'own.example.org' })).toEqual([])
})

describe('paths', () => {
  const home = folder()
  sshKey(home, 'ed25519')
  test.each([
    '"~/ed25519.pub"',
    '"$HOME/ed25519.pub"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's braces
    '"${HOME}/ed25519.pub"',
    "'$HOME/ed25519.pub'",
    '~/ed25519.pub',
  ])('%s', (text) => {
    const file = `${podFile({ VALENCE_SSH_PUBKEY: undefined })}export VALENCE_SSH_PUBKEY_FILE=${text}  # Path\n`
    const loaded = loadPod({ '.env.pod': file }, { processEnv: { HOME: home } })
    expect(wrongs(loaded)).toEqual([])
    expect(loaded.env?.VALENCE_SSH_PUBKEY_FILE?.path).toBe(join(home, 'ed25519.pub'))
    expect(loaded.env && podPublicKeys(loaded.env)[0]?.comment).toBe('someone@somewhere')
    expect(loaded.values.VALENCE_SSH_PUBKEY_FILE).toBe(join(home, 'ed25519.pub'))
  })

  test('a relative path starts at the root; one from the process is expanded as well', () => {
    const key = readFileSync(join(home, 'ed25519.pub'), 'utf8')
    const files = { '.env.pod': podFile({ VALENCE_SSH_PUBKEY: undefined }), 'keys/k.pub': key }
    expect(loadPod(files, { processEnv: { VALENCE_SSH_PUBKEY_FILE: 'keys/k.pub' } }).problems).toBeUndefined()
    expect(
      loadPod(files, { processEnv: { HOME: home, VALENCE_SSH_PUBKEY_FILE: '~/ed25519.pub' } }).problems,
    ).toBeUndefined()
  })
})

describe('what is missing', () => {
  test('all at once, each with its example and remedy', () => {
    const { problems = [] } = loadPod({ '.env.pod': '' }, { purpose: 'validate' })
    expect(problems.map((one) => one.variable)).toEqual([
      'VALENCE_POD_IP',
      'VALENCE_DOMAIN',
      'LETSENCRYPT_EMAIL',
      'VALENCE_DB_PASSWORD',
      'VALENCE_BOT_PASSWORD',
      'SYNAPSE_ADMIN_PASSWORD',
      'SYNAPSE_REGISTRATION_SECRET',
      'SYNAPSE_MACAROON_SECRET',
      'SYNAPSE_FORM_SECRET',
      'OPENAI_API_KEY',
      'VALENCE_SSH_PUBKEY_FILE',
    ])
    expect(problems.every((one) => one.example && one.remedy && one.file === '.env.pod')).toBe(true)
    expect(problems[0]).toMatchObject({
      message: 'is not set',
      example: '203.0.113.10',
      remedy: expect.stringContaining('provision'),
    })
    expect(problems[3]?.remedy).toBe('npm run validate -w pod -- --generate')
  })

  test.each<[purpose: 'plan' | 'deploy' | 'verify' | 'validate', problems: string[]]>([
    ['plan', []],
    ['validate', ['VALENCE_POD_IP is not set']],
    ['deploy', ['VALENCE_POD_IP is not set, and deploy needs it']],
    ['verify', ['VALENCE_POD_IP is not set, and verify needs it']],
  ])('no address: %s', (purpose, problems) => {
    expect(wrongs(loadPod({ '.env.pod': podFile({ VALENCE_POD_IP: undefined }) }, { purpose }))).toEqual(problems)
  })
})
