import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { revealText, showText } from '@infra/shared/command/command'
import { envLines, postgresUrl } from '@infra/shared/command/env-lines'
import { reveal, secret } from '@infra/shared/command/secret'
import { afterAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'env-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

const odd = [
  'plain-0.1_2@x:/y+z%20,',
  `it's "quoted"`,
  'a b  c ',
  '$HOME `id` $(id) ${'.concat('PATH} \\ \\\\ \\n'),
  '#no comment; # none & | < > * ? [a] {b} ~ !x',
  '=a==',
  '',
]

describe('variables as a file', () => {
  test.each(['sh', 'bash'])('%s reads every value as it is, and hands it on', (shell) => {
    const file = join(folder, shell)
    const names = odd.map((_, index) => `V${index}`)
    const values = Object.fromEntries(odd.map((value, index) => [`V${index}`, secret(value)]))
    writeFileSync(file, revealText(envLines(values, 'A comment.')))
    const print = `process.stdout.write(JSON.stringify([${names.map((name) => `process.env.${name}`)}]))`
    const said = execFileSync(shell, ['-c', `. "${file}" && exec "${process.execPath}" -e '${print}'`])
    expect(JSON.parse(String(said))).toEqual(odd)
  })

  test('what is not set is left out; a secret does not show', () => {
    const text = envLines({ A: 'b c', B: undefined, C: secret('hidden value') }, 'About.')
    expect(showText(text)).toBe('# About.\nset -a\nA="b c"\nC=[secret]\nset +a\n')
  })

  test('a value of several lines is refused', () => {
    expect(() => envLines({ A: 'b\nc' }, '')).toThrow('several lines')
  })
})

test('a connection URL holds the password percent-encoded', () => {
  const password = `a+/%"$&= \\;@:?#[]!'()*é`
  const url = reveal(
    postgresUrl({ user: 'u', password: secret(password), host: 'localhost', port: 5432, database: 'd' }),
  )
  expect(url).toMatch(/^postgresql:\/\/u:[\w.~%-]+@localhost:5432\/d$/)
  expect(decodeURIComponent(new URL(url).password)).toBe(password)
})
