import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertFresh, readPlan, savePlan } from '@infra/shared/cli/plan-file'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { Failure } from '@infra/shared/engine/failure'
import { makePlan } from '@infra/shared/engine/plan'
import { describe, expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { localTarget } from '../../support/local-target.ts'
import { note } from '../../support/notes.ts'
import { work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const about = { workspace: 'pod', environment: undefined, tags: ['db'], skipTags: undefined }

/** A plan of two notes in a folder: one plain, one with a secret. */
async function planned(folder: string, password = 'sentinel-of-a-plan', motd = 'hello') {
  const here = localTarget(folder)
  const content = text`p=${secret(password)}`
  return makePlan(work(note(here, 'motd', motd), note(here, 'password', content)), () => {})
}

function failureOf(act: () => unknown): Failure | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  return undefined
}

describe('a saved plan', () => {
  test('comes back as it was, is private, and holds neither fact nor secret', async () => {
    const folder = tempFolder()
    const file = join(tempFolder(), 'plan.json')
    writeFileSync(join(folder, 'motd'), 'what-was-there-before')
    const plan = await planned(folder)
    savePlan(file, plan, about)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toMatch(/sentinel|hello|what-was-there/)
    const saved = readPlan(file, 'pod', undefined)
    expect(saved).toMatchObject({ format: 1, workspace: 'pod', tags: ['db'] })
    expect(Object.keys(saved.steps)).toEqual(['note motd', 'note password'])
    expect(failureOf(() => assertFresh(saved, plan))).toBeUndefined()
    expect(failureOf(() => assertFresh(saved, { steps: [...plan.steps] }))).toBeUndefined()
  })

  test('replaces a file that others could read, and leaves no other file', async () => {
    const folder = tempFolder()
    const file = join(folder, 'plan.json')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    savePlan(file, await planned(tempFolder()), about)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['plan.json'])
  })

  test('is stale once a fact, a desired, a secret or the list of steps is another', async () => {
    const folder = tempFolder()
    const file = join(tempFolder(), 'plan.json')
    const plan = await planned(folder)
    savePlan(file, plan, about)
    const saved = readPlan(file, 'pod', undefined)
    const stale = (other: typeof plan) => failureOf(() => assertFresh(saved, other))
    expect(stale(await planned(folder, 'sentinel-of-a-plan', 'other desired'))?.detail).toEqual(['note motd'])
    expect(stale(await planned(folder, 'another-password'))?.detail).toEqual(['note password'])
    expect(stale({ steps: plan.steps.slice(1) })?.detail).toEqual(['note motd'])
    writeFileSync(join(folder, 'password'), 'foreign')
    expect(stale(await planned(folder))).toMatchObject({ kind: 'stale', detail: ['note password'] })
  })
})

test('of the droplet is saved with what it was asked for, and deployed by the script that it is told', async () => {
  const file = join(tempFolder(), 'plan.json')
  const of = { root: tempFolder(), file: 'pod/provision/cli.ts' }
  const { code, stderr } = await runCli('pod', ['plan', '--write-env', '--out', file], of)
  expect([code, stderr]).toEqual([0, expect.stringContaining(`saved: npm run provision -w pod -- --plan ${file}`)])
  expect(readPlan(file, 'pod', undefined).workspaceOptions).toEqual({ 'write-env': true })
})

describe('refused, with how to make one:', () => {
  const cases: [string, string | undefined, RegExp][] = [
    ['no file', undefined, /ENOENT/],
    ['no JSON', 'hello', /JSON/],
    ['null', 'null', /is not a saved plan/],
    ['an array', '[]', /is not a saved plan/],
    ['another format', JSON.stringify({ format: 2, workspace: 'pod', steps: {} }), /is not a saved plan/],
    [
      'another workspace',
      JSON.stringify({ format: 1, workspace: 'cluster', steps: {} }),
      /plan of cluster, not of pod/,
    ],
    [
      'another environment',
      JSON.stringify({ format: 1, workspace: 'pod', environment: 'staging', steps: {} }),
      /plan of pod --env staging, not of pod/,
    ],
  ]
  test.each(cases)('%s', (_name, content, message) => {
    const file = join(tempFolder(), 'plan.json')
    if (content !== undefined) writeFileSync(file, content)
    const failure = failureOf(() => readPlan(file, 'pod', undefined))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) })
    expect(failure?.remedy).toBeTruthy()
  })

  test('a place that cannot be written', async () => {
    const file = join(tempFolder(), 'nowhere', 'plan.json')
    const plan = await planned(tempFolder())
    expect(failureOf(() => savePlan(file, plan, about))).toMatchObject({ remedy: expect.stringContaining('--out') })
  })
})
