import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const product = ['shared', 'pod', 'cluster', 'stoat']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  .filter((path) => /\.m?[tj]s$/.test(path) && !path.includes('node_modules'))
const using = (pattern: RegExp) => product.filter((path) => pattern.test(readFileSync(join(root, path), 'utf8'))).sort()

const outlet = 'shared/src/report/outlet.ts'

test('there is a product to look at', () => expect(product.length).toBeGreaterThan(300))

test('nothing but the outlet touches the streams of the process, so all that is printed is cleaned', () => {
  expect(
    using(/\bconsole\b\s*[.[]|process\s*[.[]\s*['"]?std(out|err|in)|\{[^}]*\bstd(out|err)\b[^}]*\} = process/),
  ).toEqual([outlet])
  expect(using(/\/dev\/(std(out|err)|fd\/|tty)/)).toEqual([])
})

test('nothing but the outlet writes what reports tell to a file', () => {
  const writing = using(/\b(writeSync|writeFileSync|appendFileSync|createWriteStream|writeFile|appendFile)\b/)
  expect(writing.filter((path) => path.startsWith('shared/src/report/'))).toEqual([outlet])
})

test('an outlet is made by its own file alone: a reporter cannot be given a bare stream', () => {
  expect(using(/as (unknown as )?Outlet\b|\boutletTo\(/)).toEqual([outlet])
})

test('secrets are printed by the commands alone that are asked for them', () => {
  expect(using(/\bprintOpenly\b/)).toEqual([outlet, 'shared/src/cli/validate.ts', 'stoat/commands/show-keys.ts'].sort())
})

test('secrets are told to be hidden where the environment is read, and nowhere else', () => {
  expect(using(/\bmaskForRunner\b/)).toEqual(['shared/src/cli/session.ts', outlet])
})

test('a program gets the very terminal of the user only where that is the command: ssh and psql', () => {
  expect(using(/'inherit'/)).toEqual([
    'pod/commands/host.ts',
    'shared/src/targets/process.ts',
    'shared/src/targets/ssh/frame.ts',
  ])
  expect(using(/\bhandOver\(\s*session/)).toEqual(['pod/commands/host.ts', 'pod/commands/terminal.ts'])
})

test('nothing puts colours or other escapes together by itself', () => {
  expect(using(/\\u001b|\\x1b|\\033|\\e\[/)).toEqual(
    ['clean', 'outlet', 'style'].map((name) => `shared/src/report/${name}.ts`),
  )
})
