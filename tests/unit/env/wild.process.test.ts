import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { textFile, yamlFile } from '@infra/shared/env/config-files'
import { generateMissing } from '@infra/shared/env/generate'
import { importTfvars } from '@infra/shared/env/import'
import { publicKey, publicKeyFile } from '@infra/shared/env/key-files'
import { loadEnv } from '@infra/shared/env/load'
import { type Schema, variablesOf } from '@infra/shared/env/variable'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { podSchema } from '../../../pod/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import { folder, podFile } from './place.ts'
import { bad, check } from './type-table.ts'

const processEnv = {}
const latin1 = (text: string) => Buffer.from(text, 'latin1')
const messages = (problems: readonly { message: string }[] = []) => problems.map(({ message }) => message).join('\n')

describe('a file that is not UTF-8 is refused, by its line, and stays as it is', () => {
  const text = latin1(`${podFile({ VALENCE_DB_PASSWORD: '' })}# für später\n`)

  test('an environment file', () => {
    const root = folder()
    writeFileSync(join(root, '.env.pod'), text, { mode: 0o600 })
    const { problems, written } = generateMissing({ schema: podSchema, root, processEnv })
    expect(messages(problems)).toBe('cannot be read (line 12 is not UTF-8)')
    expect(written).toEqual([])
    expect(readFileSync(join(root, '.env.pod'))).toEqual(text)
    expect(messages(loadEnv({ schema: podSchema, root, processEnv }).problems)).toContain('line 12 is not UTF-8')
  })

  const root = folder()
  for (const name of ['any.txt', 'any.yaml', 'key.pub']) writeFileSync(join(root, name), latin1('# a\nb: \xe9\n'))
  const refused = (name: string): [string, unknown] => [
    join(root, name),
    bad('cannot be read \\(line 2 is not UTF-8\\)'),
  ]
  check([
    ['textFile', textFile(), [refused('any.txt')]],
    ['yamlFile', yamlFile({}), [refused('any.yaml')]],
    ['public halves', publicKeyFile(), [refused('key.pub')]],
  ])
})

describe('a byte order mark is not a part of the text', () => {
  const root = folder({ 'a.yaml': '\uFEFFmax_upload_size: 3M\n', 'a.txt': '\uFEFFone\n' })
  check([
    [
      'yamlFile',
      yamlFile({}),
      [
        [
          join(root, 'a.yaml'),
          expect.objectContaining({ content: 'max_upload_size: 3M\n', names: ['max_upload_size'] }),
        ],
      ],
    ],
    ['textFile', textFile(), [[join(root, 'a.txt'), expect.objectContaining({ content: 'one\n' })]]],
  ])
})

describe('an environment file that is a pipe is read, and never replaced', () => {
  /** A pipe with a text in it, for whoever reads first. */
  const pipe = (name: string, content: string) => {
    const root = folder()
    const path = join(root, name)
    execFileSync('sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', path])
    execFileSync('sh', ['-c', '(printf %s "$1" >"$2" &)', 'sh', content, path], { stdio: 'ignore' })
    return { root, isPipe: () => lstatSync(path).isFIFO() }
  }

  test('by what is generated', () => {
    const { root, isPipe } = pipe('.env.pod', podFile({ VALENCE_DB_PASSWORD: '' }))
    const { problems, written } = generateMissing({ schema: podSchema, root, processEnv })
    expect(messages(problems)).toMatch(/is not a regular file, and is not replaced/)
    expect([written, isPipe()]).toEqual([[], true])
  })

  test('by what is taken over from Terraform', () => {
    const { root, isPipe } = pipe('.env.cluster', 'AWS_REGION=eu-west-1\n')
    const text = 'litellm_base_url = "https://litellm.example.org"\n'
    const { problems, written } = importTfvars({ schemas: [clusterSchema], root, text, home: root })
    expect(messages(problems)).toMatch(/^\.env\.cluster is not a regular file, and is not replaced/)
    expect([written, isPipe()]).toEqual([[], true])
  })
})

describe('a terraform.tfvars', () => {
  const take = (text: string) => {
    const root = folder()
    const { problems, notes } = importTfvars({ schemas: [clusterSchema], root, text, home: root })
    const file = problems.length > 0 ? '' : readFileSync(join(root, '.env.cluster'), 'utf8')
    return { problems: problems.map(({ line, message }) => `${line}: ${message}`), notes, file }
  }

  test('lists and maps that no variable takes are left out, with what is in them', () => {
    const text = [
      'tags = {',
      '  owner = "me" # with a } in a comment',
      '  parts = ["a]", <<-END',
      '    }',
      '    END',
      '  ]',
      '}',
      'zones = ["a", "b"]',
      'litellm_base_url = "https://litellm.example.org"',
      'motd = <<EOT',
      'litellm_base_url = "no"',
      'EOT',
    ]
    const { problems, notes, file } = take(`${text.join('\n')}\n`)
    expect(problems).toEqual([])
    expect(notes.join('\n')).toMatch(/left out, since cluster has no variable for it: tags, zones, motd/)
    expect(file).toContain('export LITELLM_BASE_URL="https://litellm.example.org"')
  })

  test.each([
    ['litellm_base_url = ["https://a.example.org"]', '1: litellm_base_url is a list or a map, which no variable takes'],
    ['tags = {\n  a = "b"\n', '1: tags has no closing }'],
    ['motd = <<EOT\nhello\n', '1: motd has no closing EOT'],
  ])('%j is a problem', (text, problem) => expect(take(text).problems).toEqual([problem]))

  test.each([
    ['\\U0001F600', '\u{1F600}'],
    ['\\u00e9', 'é'],
  ])('the escape %s is read as Terraform does', (written, char) =>
    expect(take(`litellm_base_url = "https://a.example.org/${written}"`).file).toContain(char),
  )
  test.each(['\\u1F600', '\\U00e9', '\\UFFFFFFFF'])('the escape %s is one, or none, of its own length', (written) => {
    const { problems, file } = take(`litellm_base_url = "https://a.example.org/${written}z"`)
    expect(problems.length > 0 || file.includes('\u1F60')).toBe(true)
  })
})

const schemas: readonly Schema[] = [podSchema, clusterSchema, stoatSchema]
describe('what the documentation shows passes', () => {
  const shown = schemas.flatMap((schema) =>
    variablesOf(schema).flatMap(({ name, type, meta }) =>
      /, which |\.\.\.$/.test(meta.example) || meta.secret || meta.path || meta.paths
        ? []
        : [{ name, type, example: meta.sample ?? meta.example }],
    ),
  )
  test('most variables', () => expect(shown.length).toBeGreaterThan(90))
  test.each(shown.map(({ name, type, example }) => [name, example, type] as const))('%s=%s', (_, example, type) => {
    const { success, error } = type.safeParse(example)
    expect(error?.issues[0]?.message).toBeUndefined()
    expect(success).toBe(true)
  })
})

describe('a public key', () => {
  const blob = (...parts: (string | Buffer)[]) =>
    Buffer.concat(parts.flatMap((part) => [uint32(Buffer.byteLength(part)), Buffer.from(part)])).toString('base64')
  const uint32 = (value: number) => Buffer.from([value >> 24, value >> 16, value >> 8, value])
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const curve = (bytes: number, shift = 0) => {
    const moved = Buffer.from(point.subarray(0, 1 + bytes))
    moved[5] = ((moved[5] ?? 0) + shift) % 256
    return blob('ecdsa-sha2-nistp256', 'nistp256', moved)
  }
  const rsa = (bits: number) => blob('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(bits / 8, 0x7f))
  const ed = blob('ssh-ed25519', Buffer.alloc(32, 7))
  const line = (text: string) => expect.objectContaining({ line: text })
  check([
    [
      'public halves',
      publicKey(),
      [
        [`ssh-ed25519 ${ed} me\u001b[2J`, bad('control character')],
        [`ssh-ed25519 ${ed} me\u200bhere`, bad('control character')],
        [`ssh-ed25519 ${ed} Jürgen@büro`, line(`ssh-ed25519 ${ed} Jürgen@büro`)],
        [`ecdsa-sha2-nistp256 ${curve(64)}`, line(`ecdsa-sha2-nistp256 ${curve(64)}`)],
        [`ecdsa-sha2-nistp256 ${curve(63)}`, bad('garbled: its curve')],
        [`ecdsa-sha2-nistp256 ${curve(64, 1)}`, bad('garbled: its curve')],
        [`ssh-rsa ${rsa(16384)}`, line(`ssh-rsa ${rsa(16384)}`)],
        [`ssh-rsa ${rsa(16392)}`, bad('the maximum is 16384')],
      ],
    ],
  ])
})

describe('names that other people chose', () => {
  const typeOf = (name: string) => {
    const found = schemas.flatMap((schema) => variablesOf(schema)).find((one) => one.name === name)
    if (!found) throw new Error(`no variable ${name}`)
    return found.type
  }
  test.each([
    ['DO_CLUSTER_VERSION', ['1.36.3-do.0', '1.31', 'latest']],
    ['DO_NODE_SIZE', ['so1_5-2vcpu-16gb', 's-4vcpu-8gb', 'g-2vcpu-8gb', 'c2-8vcpu-16gb-intel', 'gpu-h100x1-80gb']],
    ['AWS_PROFILE', ['000001111111:Developer', 'acme-dev/AdministratorAccess', 'my profile', 'user@corp', 'default']],
    ['VALENCE_SSH_USER', ['first.last', 'root', 'Admin', 'DOMAIN+user', 'user$']],
    [
      'LITELLM_BASE_URL',
      ['http://litellm:4000', 'http://litellm.ai-platform:4000', 'http://litellm.ai-platform.svc:4000'],
    ],
  ])('%s', (name, values) => {
    for (const value of values) expect(typeOf(name).safeParse(value).error?.issues[0]?.message, value).toBeUndefined()
  })
  test.each([
    ['LITELLM_BASE_URL', ['http://litellm.example.org:4000', 'http://a.b.c']],
    ['AWS_PROFILE', ['a\nb', '[x]']],
    ['VALENCE_SSH_USER', ['a b', '-x', 'a\tb', 'a@b']],
    ['DO_NODE_SIZE', ['a b', '-x', '']],
  ])('%s, what would break the tool', (name, values) => {
    for (const value of values) expect(typeOf(name).safeParse(value).success, value).toBe(false)
  })
})
