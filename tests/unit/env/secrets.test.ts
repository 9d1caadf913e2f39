import { randomBytes } from 'node:crypto'
import { isSecret, weaknessOf } from '@infra/shared/command/secret'
import { key32, password } from '@infra/shared/env/random'
import {
  anthropicKey,
  awsKeyId,
  awsSecretKey,
  base64Key,
  openaiKey,
  strongSecret,
  token,
} from '@infra/shared/env/secrets'
import { describe, expect, test } from 'vitest'
import { bad, check } from './type-table.ts'

const hex = '9f86d081884c7d659a2feaa0c55ad015'

check([
  [
    'strong secret',
    strongSecret(),
    [
      ['Gf3kQz9LwX2m', 'secret:Gf3kQz9LwX2m'],
      ['correct horse battery staple', 'secret:correct horse battery staple'],
      [hex, `secret:${hex}`],
      ['Gf3kQz9LwX2', bad('too short: 11 characters, at least 16 are needed')],
      ['password', bad('at least 16')],
      ['password1234567', bad('common word')],
      ['P@ssw0rd!2024', bad('common word')],
      ['valence-synapse-matrix', bad('common word')],
      ['aaaaaaaaaaaaaaaaaaaa', bad('few characters')],
      ['abcdefabcdefabcdef', bad('short piece')],
      ['xq7!kzxq7!kzxq7!kz', bad('short piece')],
      ['hunter2hunter2', bad('short piece')],
      ['abcdefghijklmnop', bad('too simple')],
      ['12345678901234567890', bad('too simple')],
      [' Gf3kQz9LwX2mTr', bad('spaces')],
      ['Gf3kQz9LwX2mTré', bad('ASCII')],
      ['Gf3kQz9L\nwX2mTr', bad('ASCII')],
    ],
  ],
  [
    'OpenAI key',
    openaiKey(),
    [
      ['sk-proj-Gf3kQz9LwX2mTr7VnHc8', 'secret:sk-proj-Gf3kQz9LwX2mTr7VnHc8'],
      ['sk-ant-api03-Gf3kQz9LwX2mTr7VnHc8', bad('Anthropic', 'ANTHROPIC_API_KEY')],
      ['pk-Gf3kQz9LwX2mTr7VnHc8', bad('begin with sk-')],
      ['sk-short', bad('cut short')],
      ['sk-Gf3kQz9L wX2mTr7VnHc8', bad('characters')],
    ],
  ],
  [
    'Anthropic key',
    anthropicKey(),
    [
      ['sk-ant-api03-Gf3kQz9LwX2mTr7VnHc8', 'secret:sk-ant-api03-Gf3kQz9LwX2mTr7VnHc8'],
      ['sk-proj-Gf3kQz9LwX2mTr7VnHc8', bad('OpenAI', 'OPENAI_API_KEY')],
      ['key-Gf3kQz9LwX2mTr7VnHc8', bad('begin with sk-ant-')],
    ],
  ],
  [
    'AWS key id',
    awsKeyId(),
    [
      ['AKIAIOSFODNN7EXAMPLE', 'secret:AKIAIOSFODNN7EXAMPLE'],
      ['ASIAIOSFODNN7EXAMPLE', 'secret:ASIAIOSFODNN7EXAMPLE'],
      ['wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', bad('AWS_SECRET_ACCESS_KEY')],
      ['AROAIOSFODNN7EXAMPLE', bad('AKIA')],
    ],
  ],
  [
    'AWS secret key',
    awsSecretKey(),
    [
      ['wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'secret:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
      ['AKIAIOSFODNN7EXAMPLE', bad('AWS_ACCESS_KEY_ID')],
      ['wJalrXUtnFEMI', bad('40 characters')],
    ],
  ],
  [
    '32 bytes',
    base64Key(32),
    [
      [Buffer.from(hex).toString('base64'), `secret:${Buffer.from(hex).toString('base64')}`],
      [Buffer.from(hex).toString('base64').replace('=', ''), bad('padding')],
      [Buffer.from(hex.slice(1)).toString('base64'), bad('31 bytes', '32')],
      [`${hex.slice(0, 30)}-_`, bad('base64')],
      [Buffer.alloc(32).toString('base64'), bad('too simple')],
    ],
  ],
  [
    'token',
    token(),
    [
      ['github_pat_11AAA', 'secret:github_pat_11AAA'],
      ['short', bad('token')],
      ['two words here', bad('token')],
    ],
  ],
])

describe('a secret that a guesser finds is weak, though it was taken once:', () => {
  const weaknessIn = (text: string) => {
    const { data } = strongSecret().safeParse(text)
    return isSecret(data) ? weaknessOf(data) : 'refused'
  }
  test.each([
    ...['princess1234', '1q2w3e4r5t6y', 'Gf3kQz9LwX2mTr7'],
    ...['Summer2026Berlin', 'iloveyouforever1234', 'Tr0ub4dor&3Tr0ub4', 'P@ssw0rd!2024Abc', 'zaq12wsxcde34rfv'],
    ...['Passwort123!Passwort', 'Liverpool4Chelsea2', 'qwertyuiopasdfgh', '20240101-20250101', 'Berlin!Paris!Rome'],
    ...['SuperSecret2026!!', 'January31!January', 'discord-bot-Prod-2026', 'ThisIsMyPassword!'],
  ])('%s', (text) => expect(weaknessIn(text)).toMatch(/^has \d+ characters|tried first$|refused/))

  test.each([
    ...['Gf3kQz9LwX2mTr7V', 'correct horse battery staple', hex, 'qzjxkvwpymtrblnc', 'kiwi-lamp-orbit-zebra-1'],
  ])('%s is none', (text) => expect(weaknessIn(text)).toBeUndefined())

  test('random ones are none, however they are written', () => {
    const made = Array.from({ length: 200 }, () => randomBytes(16))
    const texts = made.flatMap((bytes) => [
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
    ])
    expect(texts.filter(weaknessIn)).toEqual([])
  })
})

test('a long text, such as a file given by mistake, is judged at once', () => {
  const parts = ['aB3$xYz9'.repeat(15_000), 'q7'].join('')
  const texts = [parts, Array.from({ length: 3_000 }, password).join('')]
  const began = performance.now()
  for (const text of texts) expect(strongSecret().safeParse(text).success).toBe(true)
  // What grows by the square of the length takes minutes.
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('what we generate passes our own judgement', () => {
  const made = Array.from({ length: 500 }, password)
  expect(made.filter((one) => !strongSecret().safeParse(one).success)).toEqual([])
  expect(made.every((one) => /^[A-Za-z0-9][\w-]{42}$/.test(one))).toBe(true)
  expect(new Set(made).size).toBe(500)
  expect(Array.from({ length: 100 }, key32).filter((one) => !base64Key(32).safeParse(one).success)).toEqual([])
})
