import { execFileSync } from 'node:child_process'
import { quote, sh } from '@infra/shared/command/sh'
import { describe, expect, test } from 'vitest'

const words: Record<string, string> = {
  plain: 'plain',
  empty: '',
  blank: ' ',
  tab: '\t',
  newline: 'a\nb\n',
  'only newlines': '\n\n',
  'carriage return': 'a\r\nb',
  'single quote': "it's",
  'single quotes alone': "'''",
  'double quote': 'say "hi"',
  'variable $': `$HOME \${HOME} $$ $(id) $((1+1))`,
  backtick: '`id`',
  backslash: 'a\\b\\\\c\\n\\',
  'history !': 'wow!',
  'leading dash': '-rf',
  'two dashes': '--',
  glob: '* ? [a-z]',
  brace: '{a,b}',
  tilde: '~',
  'tilde of a user': '~root',
  'tilde of a path': '~/x',
  comment: '# no',
  operators: 'a;b&c|d<e>f(g)h',
  assignment: 'A=b',
  'unicode: letters': 'größe 東京 🙂',
  'unicode: combining and bidi': 'e\u0301\u202e',
  'control bytes': '\u0001\u0007\u001b[31m\u007f',
  'every ASCII byte but NUL': Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1)).join(''),
  'looks like a keyword': 'if',
  'percent and octal': '%s \\101',
}

/** What the shell makes of a line, fed by stdin as on a host: the words it gave to a program, each closed by NUL. */
function heard(shell: string, line: string): string[] {
  const told = execFileSync(shell, ['-s'], { input: `printf '%s\\0' ${line}\n`, encoding: 'utf8' })
  return told.split('\0').slice(0, -1)
}

describe.each(['dash', 'bash'])('a quoted word reaches a program unchanged by %s', (shell) => {
  test.each(Object.entries(words))('%s', (_name, word) => {
    expect(heard(shell, quote(word))).toEqual([word])
    expect(heard(shell, sh`before ${word} after`.line)).toEqual(['before', word, 'after'])
  })

  test('a list is one word each, a number its digits, a word in a word one word', () => {
    expect(heard(shell, sh`${Object.values(words)}`.line)).toEqual(Object.values(words))
    expect(heard(shell, sh`${22} ${-0.5}`.line)).toEqual(['22', '-0.5'])
    expect(heard(shell, sh`--set=${'a b'}/${'c'}`.line)).toEqual(['--set=a b/c'])
    expect(heard(shell, sh`"$(printf %s ${'a  b'})"`.line)).toEqual(['a  b'])
  })
})

test('what needs no quotes gets none, so that lines can be read', () => {
  expect(sh`apt-get install ${['postgresql-16', 'a.b_c', '/etc/x:y@z,w+v%']}`.line).toBe(
    'apt-get install postgresql-16 a.b_c /etc/x:y@z,w+v%',
  )
})

test('a NUL byte, which no argument can hold, is refused', () => {
  expect(() => quote('a\0b')).toThrow('NUL')
  expect(() => sh`x ${'a\0b'}`).toThrow('NUL')
})
