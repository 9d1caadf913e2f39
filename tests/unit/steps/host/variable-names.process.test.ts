import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plainText, type Text, text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { variableNames, variableNamesIn } from '@infra/shared/facts/host/variable-names'
import { file } from '@infra/shared/steps/host/file'
import { runLocal } from '@infra/shared/targets/process'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../../support/local-target.ts'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const value = 'sentinel-of-somebody'

async function namesOf(content: string): Promise<readonly string[]> {
  const path = join(tempFolder(), 'settings')
  writeFileSync(path, content)
  const { command, parse } = variableNames(path)
  const answer = await runLocal(command.line, '')
  expect(answer.stdout).not.toContain(value)
  return parse(answer)
}

describe('the names of settings in a file with secrets', () => {
  test.each([
    [
      `A=${value}\n  B='${value}'\nexport C="${value}"\n# D=${value}\nE = ${value}\nA=again\n${value}\n`,
      ['A', 'B', 'C'],
    ],
    [
      `declare -x A="${value}"\ntypeset -x B=${value}\nreadonly C=${value}\nexport\tD=${value}\ndeclared=${value}`,
      ['A', 'B', 'C', 'D', 'declared'],
    ],
    ['', []],
  ])('lines of variables: %j', async (content, desired) => {
    expect(await namesOf(content)).toEqual(desired)
    expect([...new Set(variableNamesIn(plainText(content)))]).toEqual(desired)
  })

  test('are none where there is no file', async () => {
    const { command, parse } = variableNames(join(tempFolder(), 'none'))
    expect(parse(await runLocal(command.line, ''))).toEqual([])
  })

  test('of somebody else are in the plan that takes them away, and a copy of the file is kept', () => {
    const content: Text = text`A=${secret('sentinel-of-ours')}\n`
    const step = file(localTarget(tempFolder()), '/srv/x.env', { content, names: 'variables', mode: '0600' })
    const now = {
      type: 'file' as const,
      mode: '0600',
      owner: 'root',
      group: 'root',
      sha256: 'other',
      content: undefined,
    }
    const kept = '/var/lib/infra/previous/srv/x.env'
    const decision = step.plan({ now, names: ['A', 'MY_OWN_TOKEN'] }, { pending: [] })
    expect(told(decision)).toEqual([`~ /srv/x.env, without MY_OWN_TOKEN of somebody else (kept in ${kept})`])
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.run[0]?.line).toContain(`/srv/x.env ${kept}`)
    expect(told(step.plan({ now, names: ['A'] }, { pending: [] }))).toEqual(['~ /srv/x.env'])
  })
})
