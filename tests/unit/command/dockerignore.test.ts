import { ignores } from '@infra/shared/command/dockerignore'
import { describe, expect, it } from 'vitest'

describe('.dockerignore', () => {
  it.each<[text: string, ignored: string[], kept: string[]]>([
    ['', [], ['a', 'a/b']],
    ['node_modules', ['node_modules', 'node_modules/x/y.js'], ['src/node_modules/x', 'node_modules2']],
    ['**/node_modules', ['node_modules/x', 'a/b/node_modules/x'], ['node_modules2/x']],
    ['*.md', ['README.md'], ['docs/README.md', 'README.md.txt']],
    ['**/*.md', ['README.md', 'docs/a/README.md'], ['docs/a/README']],
    ['*/temp*', ['a/temp', 'a/temporary.txt'], ['temp', 'a/b/temp']],
    ['temp?', ['tempa'], ['temp', 'tempab']],
    ['/a/./b/../c/', ['a/c', 'a/c/d'], ['a/b']],
    ['# a comment\n  \n*.log  ', ['x.log'], ['# a comment']],
    ['*.md\n!README.md', ['a.md'], ['README.md']],
    ['docs\n!docs/keep', ['docs/a'], ['docs/keep', 'docs/keep/b']],
    ['!README.md\n*.md', ['README.md'], []],
    ['file[0-9].txt', ['file1.txt'], ['filea.txt']],
    ['a.b+c', ['a.b+c'], ['aXb+c', 'a.bbc']],
    ['\\!odd', ['!odd'], ['odd']],
    ['a\r\nb\r\n', ['a', 'b'], ['c']],
    ['*\n!src', ['a', 'b/c'], ['src', 'src/x']],
  ])('%j', (text, ignored, kept) => {
    const test = ignores(text)
    expect([...ignored, ...kept].filter(test)).toEqual(ignored)
  })
})
