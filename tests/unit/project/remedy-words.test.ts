import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { podSchema } from '../../../pod/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import { refusals, root } from './remedy.ts'

const types = new Map(
  [podSchema, clusterSchema, stoatSchema].flatMap((schema) =>
    variablesOf(schema).map(({ name, type }) => [name, type]),
  ),
)
const calls = [...refusals].flatMap(([file, list]) => list.map((text) => ({ file, text })))

test('every variable that a refusal names is one of an environment, and takes the value that it proposes', () => {
  const named = calls.flatMap(({ file, text }) =>
    [...text.matchAll(/\b([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\b(?:=([a-z0-9][\w.:/-]*\w)(?![\w.:/-]*\$))?/g)].map(
      ([, name = '', value]) => ({ file, name, value }),
    ),
  )
  expect(named.length).toBeGreaterThan(50)
  const wrong = named.filter(({ name, value }) => {
    const type = types.get(name)
    return type ? value !== undefined && !type.safeParse(value).success : true
  })
  expect(wrong).toEqual([])
})

test('every npm script that a refusal names is there', () => {
  const scriptsOf = (folder: string): object =>
    JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}
  const scripts = {
    pod: scriptsOf('pod'),
    cluster: scriptsOf('cluster'),
    stoat: scriptsOf('stoat'),
    root: scriptsOf(''),
  }
  const run = calls.flatMap(({ file, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z:-]+)(?: -w ([a-z]+))?/g)].map(
      ([said, script = '', workspace = 'root']) => ({
        ...{ file, said },
        isThere: script in (scripts[workspace as keyof typeof scripts] ?? {}),
      }),
    ),
  )
  expect(run.length).toBeGreaterThan(15)
  expect(run.filter(({ isThere }) => !isThere)).toEqual([])
})
