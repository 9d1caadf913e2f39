import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { exportLines } from '@infra/shared/env/export'
import { generateMissing } from '@infra/shared/env/generate'
import { loadEnv } from '@infra/shared/env/load'
import { refuseWeak } from '@infra/shared/steps/new-secret'
import { describe, expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { folder, podFile, sourced } from './place.ts'

const secrets = [
  'VALENCE_DB_PASSWORD',
  'VALENCE_BOT_PASSWORD',
  'SYNAPSE_ADMIN_PASSWORD',
  'SYNAPSE_REGISTRATION_SECRET',
  'SYNAPSE_MACAROON_SECRET',
  'SYNAPSE_FORM_SECRET',
]
const generate = (root: string, processEnv: Record<string, string> = {}, name?: string) =>
  generateMissing({ schema: podSchema, root, processEnv, ...(name ? { name } : {}) })
const read = (root: string, file = '.env.pod') => readFileSync(join(root, file), 'utf8')
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('where there is no file', () => {
  test('it is made from the example, for its owner only; what must be filled in is still missing', () => {
    const umask = process.umask(0)
    try {
      const root = folder()
      const done = generate(root)
      expect(done).toEqual({ file: '.env.pod', written: secrets, created: true, problems: [] })
      expect(modeOf(join(root, '.env.pod'))).toBe(0o600)
      expect(readdirSync(root)).toEqual(['.env.pod'])
      const { problems = [], warnings } = loadEnv({ schema: podSchema, root, processEnv: {} })
      expect(warnings).toEqual([])
      expect(problems.map((one) => one.variable)).toEqual([
        'VALENCE_POD_IP',
        'VALENCE_DOMAIN',
        'LETSENCRYPT_EMAIL',
        'OPENAI_API_KEY',
        'VALENCE_SSH_PUBKEY_FILE',
      ])
      expect(problems.every((one) => /is not set/.test(one.message))).toBe(true)
    } finally {
      process.umask(umask)
    }
  })

  test('a second time writes nothing', () => {
    const root = folder()
    generate(root)
    const before = [read(root), statSync(join(root, '.env.pod')).ino]
    expect(generate(root)).toMatchObject({ written: [], created: false })
    expect([read(root), statSync(join(root, '.env.pod')).ino]).toEqual(before)
  })

  test('--env NAME has a file of its own, and does not look into .env.pod', () => {
    const root = folder({ '.env.pod': podFile() })
    expect(generate(root, {}, 'staging')).toEqual({
      file: '.env.pod.staging',
      written: secrets,
      created: true,
      problems: [],
    })
    expect(read(root)).toBe(podFile())
    const lines = readFileSync(join(root, '.env.pod.staging'), 'utf8').split('\n')
    const calls = lines.filter((line) => line.includes('npm run validate'))
    expect(calls.map((line) => line.includes('-w pod -- --env staging'))).toEqual([true, true])
    expect(generate(root, {}, '../x').problems).toHaveLength(1)
    expect(readdirSync(root)).toEqual(['.env.pod', '.env.pod.staging'])
  })
})

describe('what is set is kept', () => {
  test('in this file, in .env, in the process', () => {
    const root = folder({ '.env.pod': 'VALENCE_DB_PASSWORD=weak\n', '.env': 'VALENCE_BOT_PASSWORD=fromDotEnv\n' })
    const { written } = generate(root, { SYNAPSE_FORM_SECRET: 'fromTheProcess' })
    expect(written).toEqual(['SYNAPSE_ADMIN_PASSWORD', 'SYNAPSE_REGISTRATION_SECRET', 'SYNAPSE_MACAROON_SECRET'])
    expect(read(root).startsWith('VALENCE_DB_PASSWORD=weak\nexport SYNAPSE_ADMIN_PASSWORD="')).toBe(true)
    expect(read(root, '.env')).toBe('VALENCE_BOT_PASSWORD=fromDotEnv\n')
  })

  test("a command is not replaced, the original's random one neither; a blank and a placeholder are", () => {
    const file = [
      '# mine\r',
      'export VALENCE_DB_PASSWORD="$(pass show db)"  # from pass',
      'export VALENCE_BOT_PASSWORD="$(openssl rand -base64 32)"  # bot',
      'SYNAPSE_ADMIN_PASSWORD=   # to do',
      '  export SYNAPSE_REGISTRATION_SECRET="change-me"',
      "SYNAPSE_MACAROON_SECRET=''",
      '# SYNAPSE_FORM_SECRET=""',
      'something broken',
      'LAST=1',
    ].join('\n')
    const root = folder({ '.env.pod': file })
    expect(generate(root).written).toEqual(secrets.slice(2))
    const value = '"[A-Za-z0-9][A-Za-z0-9_-]{42}"'
    const lines = read(root).split('\n')
    const shape = [
      '# mine\r',
      'export VALENCE_DB_PASSWORD="\\$\\(pass show db\\)"  # from pass',
      'export VALENCE_BOT_PASSWORD="\\$\\(openssl rand -base64 32\\)"  # bot',
      `SYNAPSE_ADMIN_PASSWORD=${value}   # to do`,
      `  export SYNAPSE_REGISTRATION_SECRET=${value}`,
      `SYNAPSE_MACAROON_SECRET=${value}`,
      '# SYNAPSE_FORM_SECRET=""',
      'something broken',
      'LAST=1\r?',
      `export SYNAPSE_FORM_SECRET=${value}\r?`,
      '',
    ]
    expect(lines).toHaveLength(shape.length)
    for (const [at, line] of lines.entries()) expect(line).toMatch(new RegExp(`^${shape[at]}$`))
  })

  test('a random command that the process has a value for stays, and is a problem', () => {
    const text = podFile({ VALENCE_DB_PASSWORD: '$(openssl rand -base64 32)' })
    const root = folder({ '.env.pod': text })
    const processEnv = { VALENCE_DB_PASSWORD: 'Gf3kQz9LwX2mTr7Vn' }
    expect(generate(root, processEnv).written).toEqual([])
    expect(read(root)).toBe(text)
    expect(loadEnv({ schema: podSchema, root, processEnv }).problems).toHaveLength(1)
  })

  test('an earlier value under a later blank', () => {
    const root = folder({ '.env.pod': `${podFile()}VALENCE_DB_PASSWORD=\n` })
    expect(generate(root).written).toEqual([])
  })
})

test('a file that others could read is closed, a link stays a link, and no temporary file stays', () => {
  const root = folder({ 'real/env': podFile({ SYNAPSE_FORM_SECRET: undefined }) })
  chmodSync(join(root, 'real/env'), 0o644)
  symlinkSync('real/env', join(root, '.env.pod'))
  expect(generate(root).written).toEqual(['SYNAPSE_FORM_SECRET'])
  expect(lstatSync(join(root, '.env.pod')).isSymbolicLink()).toBe(true)
  expect(modeOf(join(root, 'real/env'))).toBe(0o600)
  expect(readdirSync(join(root, 'real'))).toEqual(['env'])
  expect(loadEnv({ schema: podSchema, root, processEnv: {} }).problems).toBeUndefined()
})

test('a weak secret that is refused is emptied and made anew, as its remedy says', () => {
  const weak = 'Summer2026Berlin'
  const root = folder({ '.env.pod': podFile({ VALENCE_DB_PASSWORD: weak }) })
  const refusal = () => {
    const { env } = loadEnv({ schema: podSchema, root, processEnv: {} })
    return refuseWeak(env ? [env.VALENCE_DB_PASSWORD] : [])
  }
  expect(refusal()).toMatchObject({
    remedy: expect.stringContaining('empty it in .env.pod, then: npm run validate -w pod -- --generate'),
  })
  writeFileSync(join(root, '.env.pod'), read(root).replace(weak, ''))
  expect(generate(root).written).toEqual(['VALENCE_DB_PASSWORD'])
  expect(refusal()).toBeUndefined()
})

test('where it cannot write, it fails and changes nothing', () => {
  const root = folder({ file: '' })
  expect(() => generate(join(root, 'file'))).toThrow(/ENOTDIR/)
  expect(() => generate(join(root, 'nowhere'))).toThrow(/ENOENT/)
  expect(readdirSync(root)).toEqual(['file'])
})

describe('shells', () => {
  test.each(['bash', 'dash'] as const)('%s sources what was written', (shell) => {
    const root = folder()
    generate(root)
    writeFileSync(join(root, '.env.pod'), read(root).replace('VALENCE_DOMAIN=""', 'VALENCE_DOMAIN="a.example.org"'))
    const { values } = loadEnv({ schema: podSchema, root, processEnv: {} })
    for (const name of secrets) {
      const value = sourced(shell, join(root, '.env.pod'), name)
      expect(value).toMatch(/^[\w-]{43}$/)
      expect(exportLines({ [name]: values[name] ?? '' })).toEqual([`export ${name}='${value}'`])
    }
    // A sourced file has the process hold all of it: nothing changes by that.
    const printed = execFileSync(shell, ['-c', '. "$1"; env', shell, join(root, '.env.pod')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    })
    expect(printed).toContain('VALENCE_DOMAIN=a.example.org')
  })

  const hard = [
    'plain',
    "it's",
    '$HOME `id` $(id) \\ "x"',
    ' two\nlines ',
    "'''",
    '',
    'ü€',
    '!history',
    '--flag',
    '*',
    '~/x',
    "a'\\''b",
  ]
  test.each(['bash', 'dash'] as const)('export lines in %s', (shell) => {
    const values = Object.fromEntries(hard.map((value, at) => [`V${at}`, at % 2 ? value : secret(value)]))
    const lines = join(folder({ lines: exportLines(values).join('\n') }), 'lines')
    const script = '. "$1"; exec "$2" -p "JSON.stringify(process.env)"'
    const printed = execFileSync(shell, ['-c', script, shell, lines, process.execPath], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    expect(JSON.parse(printed)).toMatchObject(Object.fromEntries(hard.map((value, at) => [`V${at}`, value])))
  })

  test('what --export prints, sourced, loads to the same environment', () => {
    const from = loadEnv({
      schema: podSchema,
      root: folder({ '.env.pod': podFile({ VALENCE_TIMEZONE: 'Asia/Tokyo' }) }),
      processEnv: {},
    })
    const lines = join(folder({ lines: exportLines(from.values).join('\n') }), 'lines')
    const processEnv = Object.fromEntries(Object.keys(from.values).map((name) => [name, sourced('dash', lines, name)]))
    const to = loadEnv({ schema: podSchema, root: folder(), processEnv })
    expect(to.problems).toBeUndefined()
    expect(to.env?.VALENCE_TIMEZONE).toBe('Asia/Tokyo')
    expect(exportLines(to.values)).toEqual(exportLines(from.values))
  })
})
