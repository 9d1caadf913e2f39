import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { yamlFile } from '@infra/shared/env/config-files'
import { parseEnvText } from '@infra/shared/env/env-text'
import { domain, email, ip, networks, url } from '@infra/shared/env/network'
import type { Parsed } from '@infra/shared/env/parsed'
import { parsePublicKey } from '@infra/shared/env/ssh-key'
import { parseTfvars } from '@infra/shared/env/tfvars'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { damages } from '../../support/damage.ts'
import { randomBy } from '../../support/shuffle.ts'
import { folder, sshKey } from './place.ts'

// Made by chance, the same each time: what fails can be looked at again.
const chance = randomBy(20261129)
const below = (count: number) => Math.floor(chance() * count)
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const joined = (pieces: readonly string[], most: number) => many(below(most), () => oneOf(pieces)).join('')

const damaged = damages(chance)

describe('an environment file', () => {
  const words = [
    'a',
    'B1',
    ' ',
    '  ',
    '\t',
    '#',
    ' #',
    '=',
    ':',
    '/',
    '.',
    ',',
    '-',
    '%',
    '@',
    '~',
    '~/',
    'é',
    '\u{1F600}',
    '\u00a0',
  ]
  const shell = [
    '"',
    "'",
    '\\',
    '\\"',
    "\\'",
    '$',
    '$HOME',
    '$' + '{HOME}',
    '$X',
    '$(echo x)',
    '`',
    '&',
    ';',
    '|',
    '(',
    ')',
    '<',
    '>',
    '*',
    '!',
    '\\n',
  ]
  const values = many(800, () => {
    const inner = joined([...words, ...words, ...shell], 8)
    return oneOf([
      inner,
      inner,
      `"${inner}"`,
      `'${inner}'`,
      `"${inner}" # said`,
      `"${inner}"#said`,
      `'${inner}'#said \u00a0`,
      `$'${inner}'`,
    ])
  })
  const home = '/home/someone'

  test('gives what bash makes of it, wherever it says that bash gives a value', () => {
    const texts = values.map((value) => `${oneOf(['', '', 'export ', 'declare -x '])}V=${value}\n`)
    const root = folder(Object.fromEntries(texts.map((text, index) => [`f${index}`, text])))
    // Without a PATH nothing but bash itself runs; each file in a shell of its own.
    const script =
      'cd "$1"; n=0; while [ -e f$n ]; do (unset V; exec 2>/dev/null; . ./f$n; printf "%s" "$V") </dev/null; printf "\\0"; n=$((n + 1)); done'
    const { stdout } = spawnSync('/bin/bash', ['--norc', '-c', script, 'bash', root], {
      encoding: 'utf8',
      env: { PATH: '/nonexistent', HOME: home, LC_ALL: 'C.UTF-8' },
      maxBuffer: 1e8,
    })
    const said = stdout.split('\0')
    const wrong = texts.flatMap((text, index) => {
      const { assignments, spaced } = parseEnvText(text, home)
      const entry = assignments.findLast(({ name }) => name === 'V')
      // Blanks around the = are told, and are something else to a shell.
      if (!entry || spaced.length > 0 || !('value' in entry.shell) || entry.shell.value === said[index]) return []
      return [{ text, ours: entry.shell.value, bash: said[index] }]
    })
    expect(wrong).toEqual([])
    expect(said.length).toBe(texts.length + 1)
  })

  test('never loses a line without saying so', () => {
    for (const value of values) {
      const text = `# head\nV=${value}\nW=last\n`
      const { assignments, broken } = parseEnvText(text, home)
      const named = assignments.map(({ name }) => name)
      expect([text, named.includes('V') || broken.length > 0]).toEqual([text, true])
      for (const { start, end } of assignments) expect(end).toBeGreaterThanOrEqual(start)
    }
  })
})

describe('a terraform.tfvars', () => {
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&').replace(/([$%])\{/g, '$1$1{')}"`
  const pieces = [
    'a',
    '"',
    '\\',
    '$',
    '{',
    '%{',
    '}',
    '#',
    '//',
    ' ',
    'é',
    '[',
    ']',
    '=',
    "'",
    'EOT',
    '<<EOT',
    '/*',
    '*/',
  ]
  const compound = (depth: number): string => {
    const inner = () => (depth === 0 ? quoted(joined(pieces, 6)) : compound(depth - 1))
    return oneOf([
      () => `[${many(below(3), inner).join(', ')}]`,
      () =>
        `{\n${many(below(3), (index) => `  k${index} = ${inner()} # ${joined(pieces, 3).replace(/\*\//g, '')}\n`).join('')}}`,
      () =>
        `<<-EOT\n${joined(
          pieces.filter((piece) => !/EOT/.test(piece)),
          8,
        )}\n  EOT\n`,
    ])()
  }
  const documents = many(300, () =>
    many(1 + below(6), (index) => {
      const value = joined(pieces, 10)
      return oneOf([
        { name: `s${index}`, text: quoted(value), value },
        { name: `n${index}`, text: '12', value: '12' },
        { name: `c${index}`, text: compound(2), value: undefined },
      ])
    }),
  )
  const textOf = (document: (typeof documents)[number]) =>
    document
      .map(({ name, text }) => `${name} = ${text}${oneOf(['', ' # said'])}\n`)
      .join(oneOf(['', '\n', '# between\n']))

  test('gives every value of one line, and passes over the others', () => {
    for (const document of documents) {
      // A comment behind a heredoc's last word is a part of it.
      const text = document.map(({ name, text }) => `${name} = ${text}\n`).join('')
      const { values, compounds, problems } = parseTfvars(text)
      const plain = document.filter(({ value }) => value !== undefined)
      expect([text, problems]).toEqual([text, []])
      expect(values.map(({ name, value }) => ({ name, value }))).toEqual(
        plain.map(({ name, value }) => ({ name, value })),
      )
      expect(compounds.map(({ name }) => name)).toEqual(
        document.filter((one) => !plain.includes(one)).map(({ name }) => name),
      )
    }
  })

  test('damaged, quotes nothing of itself in what it says', () => {
    for (const document of documents) {
      const text = damaged(`password = "hunter2-hunter2"\n${textOf(document)}`, '"{}[]\\#=$\n')
      expect(JSON.stringify(parseTfvars(text).problems)).not.toContain('hunter2')
    }
  })
})

test('a public key is taken only where ssh-keygen takes it', () => {
  const root = folder()
  const types: [string, ...string[]][] = [['ed25519'], ['ecdsa'], ['ecdsa', '-b', '521'], ['rsa', '-b', '2048']]
  const keys = types.map(([type, ...more]) =>
    execFileSync('cat', [`${sshKey(root, type, ...more)}.pub`], { encoding: 'utf8' }).trim(),
  )
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= '
  const lines = many(400, () => damaged(oneOf(keys), alphabet)).filter((line) => !/[\r\n]/.test(line))
  const taken = [...keys, ...lines].filter((line) => 'value' in parsePublicKey(line))
  expect(taken.length).toBeGreaterThanOrEqual(keys.length)
  const path = join(root, 'all')
  writeFileSync(path, taken.map((line) => `${line.trim()}\n`).join(''))
  const known = execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).trim().split('\n')
  expect(known.length).toBe(taken.length)
})

describe('an address', () => {
  const parts = [
    '0',
    '1',
    '127',
    '255',
    '256',
    '.',
    ':',
    '::',
    'ffff',
    'fe80',
    '%eth0',
    '/24',
    '[',
    ']',
    'a',
    'xn--',
    '-',
    '_',
    'ü',
    '@',
    '*',
    ' ',
    'example',
    'org',
    'http://',
    'https://',
    ',',
    '?',
    '#',
    '\\',
  ]
  const texts = many(3000, () => joined(parts, 9))
  const takes = (type: Parsed<unknown>, text: string) => type.safeParse(text)

  test.each<[string, Parsed<string>, (value: string) => boolean]>([
    ['ip', ip(), (value) => isIP(value) > 0],
    [
      'domain',
      domain(),
      (value) => URL.canParse(`https://${value}/`) && new URL(`https://${value}/`).hostname === value,
    ],
    ['url', url({ plain: true }), (value) => URL.canParse(value)],
    ['email', email(), (value) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)],
    ['networks', networks(), (value) => value.split(',').every((one) => isIP(one.split('/')[0] ?? '') > 0)],
  ])('%s: what is taken is one, and is taken again as it was', (_, type, isOne) => {
    for (const text of texts) {
      const once = takes(type, text)
      if (!once.success) continue
      expect([text, isOne(once.data as string)]).toEqual([text, true])
      expect(takes(type, once.data as string).data).toBe(once.data)
    }
  })
})

test('a YAML file is refused, or its names are those of YAML', () => {
  const sound =
    'email:\n  smtp_host: mail\n  list: [a, "b: c", {d: e}]\nmax_upload_size: 3M # said\ntext: |\n  a: b\n\n  c\n"quoted name": &x 1\nother: *x\n'
  const root = folder()
  const path = join(root, 'some.yaml')
  for (let times = 0; times < 300; times += 1) {
    writeFileSync(path, damaged(sound, '\n :-[]{}&*"\'|>#\t'))
    const { success, data } = yamlFile({}).safeParse(path)
    if (!success) continue
    const again: unknown = parseYaml(data.content)
    // A key without a name is called null by one, and nothing by the other.
    expect(data.names.map((name) => (name === 'null' ? '' : name))).toEqual(Object.keys((again ?? {}) as object))
  }
})
