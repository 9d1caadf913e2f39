import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import { digestText, holdsSecret, isText, plainText, revealText, showText, text } from '@infra/shared/command/command'
import { derive, isSecret, redact, reveal, type Secret, secret, withoutLookalikes } from '@infra/shared/command/secret'
import { describe, expect, test } from 'vitest'

const value = 'correct horse "battery" staple\'s end/?&'
const password = secret(value)

/** What `console.log` prints. */
function logged(...args: unknown[]): string {
  let said = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      said += chunk
      done()
    },
  })
  new Console({ stdout }).log(...args)
  return said
}

describe('a secret never shows', () => {
  const holder = { user: 'valence', password, deep: [{ password }] }
  const ways: [string, () => string][] = [
    ['String()', () => String(password)],
    ['a template', () => `${password}`],
    ['concatenation', () => `x${password as unknown as string}`],
    ['toString', () => (password as unknown as object).toString()],
    ['JSON', () => JSON.stringify(holder)],
    ['JSON alone', () => JSON.stringify(password)],
    ['inspect', () => inspect(holder, { depth: 9, showHidden: true, getters: true })],
    ['inspect without its own way', () => inspect(password, { customInspect: false, showHidden: true })],
    ['format %s %o %O %j', () => format('%s %o %O %j', password, password, holder, holder)],
    ['console.log', () => logged(password, holder, [password], new Map([['p', password]]))],
    ['keys and values', () => JSON.stringify([Object.keys(password), Object.values(password), { ...password }])],
    ['own properties', () => inspect(Object.getOwnPropertyDescriptors(password), { showHidden: true })],
    ['structuredClone', () => inspect(cloned(holder))],
    ['an error message', () => new Error(`login as ${password} failed`).stack ?? ''],
    ['an error with it as its cause', () => inspect(new Error('x', { cause: password }))],
    ['a text', () => JSON.stringify(text`password=${password}`) + inspect(text`password=${password}`, { depth: 5 })],
    ['showText', () => showText(text`password=${password}`)],
  ]
  test.each(ways)('%s', (_way, show) => {
    const shown = show()
    expect(shown).not.toBe('')
    expect(shown).not.toMatch(/horse|battery|staple/)
  })

  test('what shows instead says what it is', () => {
    expect(`${password} ${JSON.stringify({ password })} ${inspect(password)}`).toBe(
      '[secret] {"password":"[secret]"} [secret]',
    )
  })

  test('and it cannot be changed', () => {
    expect(() => Object.assign(password, { toString: () => 'x' })).toThrow(TypeError)
  })
})

function cloned(thing: unknown): unknown {
  try {
    return structuredClone(thing)
  } catch (error) {
    return error
  }
}

test('a secret opens only by reveal, and only a real one', () => {
  expect(reveal(password)).toBe(value)
  expect(isSecret(password)).toBe(true)
  expect(isSecret('[secret]')).toBe(false)
  expect(isSecret(Object.create(Object.getPrototypeOf(password)))).toBe(false)
  expect(() => reveal({} as Secret)).toThrow('not a secret')
  const url = derive((open) => `postgres://valence:${encodeURIComponent(open(password))}@localhost`)
  expect(isSecret(url)).toBe(true)
  expect(reveal(url)).toContain('correct%20horse')
})

describe('text', () => {
  test('takes strings, numbers, secrets and texts', () => {
    const inner = text`b=${password}`
    const whole = text`a=${1}\n${inner}\nc=${'x'}`
    expect(revealText(whole)).toBe(`a=1\nb=${value}\nc=x`)
    expect(showText(whole)).toBe('a=1\nb=[secret]\nc=x')
    expect([holdsSecret(whole), holdsSecret(plainText('x')), isText(whole), isText('x')]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a promise', Promise.resolve('x')],
    ['an object', {}],
    ['a boolean', true],
    ['NaN', Number.NaN],
  ])('refuses %s', (_name, hole) => {
    expect(() => (text as (strings: TemplateStringsArray, ...holes: unknown[]) => unknown)`x ${hole}`).toThrow(
      /text: hole 1 is/,
    )
  })

  test('its digest is what sha256sum says of the whole', () => {
    expect(digestText(plainText('hello\n'))).toBe('5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03')
    expect(digestText(text`hel${secret('lo')}\n`)).toBe(digestText(plainText('hello\n')))
  })
})

describe('redact hides', () => {
  const forms: [string, string][] = [
    ['the value', value],
    ['base64', Buffer.from(value).toString('base64')],
    ['base64url', Buffer.from(value).toString('base64url')],
    ['a URL component', encodeURIComponent(value)],
    ['a JSON string', JSON.stringify({ password: value })],
    ['an SQL literal', `'${value.replaceAll("'", "''")}'`],
    ['a shell word', `'${value.replaceAll("'", `'\\''`)}'`],
    ['a shell word in double quotes', `"${value.replace(/["\\$`]/g, '\\$&')}"`],
    ['a string of JSON in a string of JSON', JSON.stringify(JSON.stringify({ password: value }))],
    ['a form', new URLSearchParams({ password: value }).toString()],
    ['URL-encoded in small letters', encodeURIComponent(value).toLowerCase()],
    ['the credentials of a Basic login', Buffer.from(`me:${value}`).toString('base64')],
    ['base64 of a line before it', Buffer.from(`it:is\n${value}\n`).toString('base64')],
    ['base64url of more around it', Buffer.from(`1234${value}56`).toString('base64url')],
  ]
  test.each(forms)('%s', (_form, text) => {
    const clean = redact(`before ${text} and again ${text} after`)
    expect(clean).toMatch(/^before .*\[secret\].*\[secret\].* after$/)
    expect(clean).not.toMatch(/horse|battery|staple|Y29ycmVjd/)
  })

  test('a value of several lines, line by line: streams are read by the line', () => {
    const key = ['-----BEGIN OPENSSH PRIVATE KEY-----', 'b3BlbnNzaC1rZXktdjEAAAAA', '  cmVzdCBvZiB0aGUga2V5'].join('\n')
    secret(key)
    expect(redact(`x ${key} y`)).toBe('x [secret] y')
    expect(redact('debug: b3BlbnNzaC1rZXktdjEAAAAA')).toBe('debug: [secret]')
    expect(redact('cmVzdCBvZiB0aGUga2V5')).toBe('[secret]')
  })

  test('the whole of a secret that begins with another one, whichever was known first', () => {
    for (const word of ['tr0ub4dor', 'tr0ub4dor&3-the-longer', 'the-longer-one-first', 'the-longer']) secret(word)
    expect(redact('tr0ub4dor&3-the-longer tr0ub4dor the-longer-one-first')).toBe('[secret] [secret] [secret]')
  })

  test('no more than that: short values and other text stay', () => {
    secret('abc')
    expect(redact('abc [secret] plain text')).toBe('abc [secret] plain text')
  })

  test('patterns are not taken for patterns', () => {
    secret('a.b*c+$&^(d)')
    expect(redact('a.b*c+$&^(d) axbbbcc')).toBe('[secret] axbbbcc')
  })
})

describe('what looks like a secret of somebody else', () => {
  test.each([
    ['Environment=OPENAI_API_KEY=old-value', 'Environment=OPENAI_API_KEY=[not shown]'],
    ["export MATRIX_PASSWORD='a b'", 'export MATRIX_PASSWORD=[not shown]'],
    ['  "token": "old-value",', '  "token": [not shown]'],
    ['host all all ::1/128 ldap ldapbindpasswd=x', 'host all all ::1/128 ldap ldapbindpasswd=[not shown]'],
    ['URIs: https://me:old@example.org/debian', 'URIs: https://me:[not shown]@example.org/debian'],
    ['proxy_set_header Authorization "Bearer abcdefgh1";', 'proxy_set_header Authorization "Bearer [not shown]";'],
    ['ExecStart=/bin/x --key sk-0123456789abcdef -v', 'ExecStart=/bin/x --key [not shown] -v'],
    [
      '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----\n[not shown]\n-----END PRIVATE KEY-----',
    ],
  ])('%j', (text, shown) => {
    expect(withoutLookalikes(text)).toBe(shown)
  })

  test.each([
    'PasswordAuthentication no',
    'ssl_certificate_key /etc/x/privkey.pem;',
    'proxy_pass http://127.0.0.1:8008;',
    'valence ALL=(root) NOPASSWD: /usr/bin/true',
  ])('%j holds none', (text) => expect(withoutLookalikes(text)).toBe(text))
})
