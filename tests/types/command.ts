/** What must not compile, checked by `npx tsc -p tsconfig.json`: every line below an expectation is an error. */
import { plainText, text } from '@infra/shared/command/command'
import { type Secret, secret } from '@infra/shared/command/secret'
import { all, raw, sh, withStdin } from '@infra/shared/command/sh'

const password = secret('x')
const maybe: string | undefined = process.env.MAYBE
const words: readonly string[] = ['a', 'b']

// What compiles.
export const sound = [
  sh`cat ${'a'} ${1} ${words} ${['a', 2]} ${raw('"$t"')} ${sh`b`}`,
  all(sh`a`, raw('b')),
  withStdin(sh`cat`, text`p=${password} ${1} ${plainText('x')}`),
]

// @ts-expect-error a secret never goes on a command line
sh`psql ${password}`

// @ts-expect-error nor in a list of words
sh`psql ${['a', password]}`

// @ts-expect-error nor as a text that may hold one
sh`psql ${text`p=${password}`}`

// @ts-expect-error what may be missing has to be decided first
sh`cat ${maybe}`

// @ts-expect-error a promise has to be awaited
sh`cat ${Promise.resolve('a')}`

// @ts-expect-error an object has no one way to be a word
sh`cat ${{ path: 'a' }}`

// @ts-expect-error neither has a boolean
sh`cat ${true}`

// @ts-expect-error a command that reads a stdin of its own cannot be a part of another
sh`if ${withStdin(sh`cat`, plainText('x'))}; then :; fi`

// @ts-expect-error commands in a row share no stdin
all(sh`a`, withStdin(sh`cat`, plainText('x')))

// @ts-expect-error what a program reads is a text, so that it is clear whether it holds a secret
withStdin(sh`cat`, 'plain')

// @ts-expect-error a secret is not a string
export const leaked: string = password

// @ts-expect-error a string is not a secret: only `secret` makes one
export const forged: Secret = 'x'

// @ts-expect-error an object is none either
export const built: Secret = {}

// @ts-expect-error a text has no place for what may be missing
text`p=${maybe}`
