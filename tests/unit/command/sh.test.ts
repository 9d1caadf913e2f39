import { plainText, text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { all, raw, sh, withStdin } from '@infra/shared/command/sh'
import { describe, expect, test } from 'vitest'

const password = secret('hunter-two-and-a-half')

/** As `sh`, past the type checker: what JavaScript would let through. */
const loose = sh as (strings: TemplateStringsArray, ...holes: unknown[]) => { line: string }

describe('sh refuses', () => {
  const table: [string, unknown, RegExp][] = [
    ['undefined', undefined, /hole 1 is undefined/],
    ['null', null, /hole 1 is null/],
    ['a promise', Promise.resolve('x'), /hole 1 is a promise \(await it first\)/],
    ['an object', { toString: () => 'x' }, /hole 1 is an object/],
    ['a function', () => 'x', /hole 1 is a function/],
    ['a boolean', true, /hole 1 is a boolean/],
    ['NaN', Number.NaN, /hole 1 is a number/],
    ['infinity', Number.POSITIVE_INFINITY, /hole 1 is a number/],
    ['a secret', password, /hole 1 is a secret.*stdin/],
    ['a text', plainText('x'), /hole 1 is a secret.*stdin/],
    ['a text with a secret', text`p=${password}`, /hole 1 is a secret.*stdin/],
    ['a secret in a list', ['a', password], /hole 1 is a secret/],
    ['undefined in a list', ['a', undefined], /hole 1 is undefined/],
    ['a command with a stdin of its own', withStdin(sh`cat`, plainText('x')), /its own stdin|is an object/],
    ['a shell with a stdin of its own', { ...sh`cat`, stdin: plainText('x') }, /its own stdin/],
  ]
  test.each(table)('%s', (_name, hole, message) => {
    expect(() => loose`x ${hole}`).toThrow(message)
  })

  test('the message numbers the hole and never shows the secret', () => {
    expect(() => loose`x ${'a'} ${password}`).toThrow(/^sh: hole 2 is a secret/)
    try {
      loose`x ${password}`
    } catch (error) {
      expect(String((error as Error).stack)).not.toContain('hunter')
    }
  })
})

describe('a hole inside quotes is refused: it brings its own', () => {
  const file = '$(touch /tmp/owned)'
  const wrong: [string, () => unknown][] = [
    ['double quotes', () => sh`echo "${file}"`],
    ['single quotes', () => sh`echo '${file}'`],
    ['a quoted script', () => sh`sh -c "cat ${file}"`],
    ['quotes that another hole stands before', () => sh`echo ${'a'} "b ${file}"`],
    ['quotes inside a substitution', () => sh`"$(echo "${file}")"`],
    ['a digit before a redirection', () => sh`echo ${2}>file`],
  ]
  test.each(wrong)('%s', (_name, make) => expect(make).toThrow(/sh: hole \d/))

  const right: [string, () => { line: string }, string][] = [
    ['a substitution in double quotes', () => sh`[ "$(stat -c %a ${file})" = 755 ]`, `"$(stat -c %a '${file}')"`],
    ['an escaped quote', () => sh`echo \\" ${file}`, `\\" '${file}'`],
    ['closed quotes', () => sh`grep -q "a b" 'c"d' ${file}`, `'c"d' '${file}'`],
    ['an apostrophe in a comment', () => sh`true # don't\ncat ${file}`, `cat '${file}'`],
    ['a subshell', () => sh`(cd ${'/x'} && cat ${file})`, `cat '${file}'`],
    ['a case', () => sh`case x in x) cat ${file};; esac`, `cat '${file}'`],
    ['a parameter', () => sh`n="\${x#a}" cat ${file}`, `cat '${file}'`],
  ]
  test.each(right)('but not after %s', (_name, make, part) => expect(make().line).toContain(part))
})

test('commands are put together without being quoted again', () => {
  const inner = sh`cat ${'a b'}`
  expect(sh`if ${inner}; then ${raw('exit "$x"')}; fi`.line).toBe(`if cat 'a b'; then exit "$x"; fi`)
  expect(all(sh`a`, inner).line).toBe("a && cat 'a b'")
})

test('withStdin leaves the line alone, and the line leaves the secret out', () => {
  const command = withStdin(sh`chpasswd`, text`root:${password}\n`)
  expect(command.line).toBe('chpasswd')
  expect(JSON.stringify(command)).not.toContain('hunter')
})
