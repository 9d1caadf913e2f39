import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Shell } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { startBytes } from '@infra/shared/targets/process'
import { expect, test } from 'vitest'
import { collectionsOf, loadDump } from '../../../stoat/backup/database.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { tempFolder } from '../../support/temp.ts'

// As those of MongoDB do: told to be quiet, they do not even say why they fail.
const failing = `#!/bin/sh
case " $* " in *' --quiet '*) ;; *) echo 'Failed: server returned error on SASL authentication step' >&2 ;; esac
printf 'remaining bytes=[%09000d]\\n' 0 >&2
echo 'command terminated with exit code 1' >&2
exit 1
`

test.each<[program: string, work: (kube: Pick<StoatContext, 'kube'>) => Promise<unknown>]>([
  ['mongodump', (kube) => collectionsOf(kube, 'revolt')],
  ['mongorestore', (kube) => loadDump(kube, 'revolt', (async function* () {})())],
])('what %s failed by is told', async (program, work) => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'kubectl'), failing)
  chmodSync(join(folder, 'kubectl'), 0o755)
  const stream = async ({ line }: Shell) => startBytes(line, { env: { PATH: `${folder}:${process.env.PATH}` } })
  const failure = await work({ kube: { stream } } as unknown as Pick<StoatContext, 'kube'>).catch(
    (error: unknown) => error,
  )
  if (!(failure instanceof Failure)) throw new Error('it did not fail')
  const lines = failure.detail.join('\n')
  expect([failure.message, lines]).toEqual([
    `${program} failed in stoat-mongodb-0`,
    expect.stringContaining('Failed: server returned error on SASL authentication step'),
  ])
  // A document that it did not understand is quoted whole.
  expect(lines.length).toBeLessThan(1000)
})
