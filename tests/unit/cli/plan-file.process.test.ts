import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownKeyPath } from '@infra/shared/cli/own-key'
import { assertFresh, readPlan, savePlan } from '@infra/shared/cli/plan-file'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { digestPlan } from '@infra/shared/engine/digest'
import { Failure } from '@infra/shared/engine/failure'
import { makePlan } from '@infra/shared/engine/plan'
import { describe, expect, test, vi } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { localTarget } from '../../support/local-target.ts'
import { note } from '../../support/notes.ts'
import { work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

/** The project's own folder: it holds the key. */
const state = join(tempFolder(), '.infra')
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
    savePlan(file, state, plan, about)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toMatch(/sentinel|hello|what-was-there/)
    const saved = readPlan(file, state, 'pod', undefined)
    expect(saved).toMatchObject({ format: 2, workspace: 'pod', tags: ['db'] })
    expect(Object.keys(saved.steps)).toEqual(['note motd', 'note password'])
    expect(failureOf(() => assertFresh(saved, state, plan))).toBeUndefined()
    expect(failureOf(() => assertFresh(saved, state, { steps: [...plan.steps] }))).toBeUndefined()
  })

  test('replaces a file that others could read, and leaves no other file', async () => {
    const folder = tempFolder()
    const file = join(folder, 'plan.json')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    savePlan(file, state, await planned(tempFolder()), about)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['plan.json'])
  })

  test('is stale once a fact, a desired, a secret or the list of steps is another', async () => {
    const folder = tempFolder()
    const file = join(tempFolder(), 'plan.json')
    const plan = await planned(folder)
    savePlan(file, state, plan, about)
    const saved = readPlan(file, state, 'pod', undefined)
    const stale = (other: typeof plan) => failureOf(() => assertFresh(saved, state, other))
    expect(stale(await planned(folder, 'sentinel-of-a-plan', 'other desired'))?.detail).toEqual(['note motd'])
    expect(stale(await planned(folder, 'another-password'))?.detail).toEqual(['note password'])
    expect(stale({ steps: plan.steps.slice(1) })?.detail).toEqual(['note motd'])
    writeFileSync(join(folder, 'password'), 'foreign')
    expect(stale(await planned(folder))).toMatchObject({ kind: 'stale', detail: ['note password'] })
  })
})

describe('whoever gets hold of a saved plan', () => {
  const save = async (folder = state) => {
    const file = join(tempFolder(), 'plan.json')
    savePlan(file, folder, await planned(tempFolder()), about)
    return { file, saved: JSON.parse(readFileSync(file, 'utf8')) }
  }

  test('cannot confirm a guess of a password from it: what keys the fingerprints is not beside them', async () => {
    const { saved } = await save()
    const guess = await planned(tempFolder())
    expect(digestPlan(guess, saved.salt)).not.toMatchObject({ 'note password': saved.steps['note password'] })
    expect(readFileSync(ownKeyPath(state, 'plan'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(statSync(ownKeyPath(state, 'plan')).mode & 0o777).toBe(0o600)
  })

  test.each<[string, (saved: Record<string, unknown> & { steps: Record<string, string> }) => void]>([
    ['cut steps out of it', ({ steps }) => delete steps['note motd']],
    ['put one in', ({ steps }) => Object.assign(steps, { other: '0' })],
    ['have it made for other scripts', (saved) => Object.assign(saved, { tags: undefined })],
    ['give it the options of a removal', (saved) => Object.assign(saved, { workspaceOptions: { prune: true } })],
    [
      'make an old one new',
      (saved) => Object.assign(saved, { made: new Date().toISOString().replace(/\d\dZ/, '00Z') }),
    ],
    ['take the seal off', (saved) => delete saved.seal],
  ])('cannot %s', async (_name, change) => {
    const { file, saved } = await save()
    change(saved)
    writeFileSync(file, JSON.stringify(saved))
    const failure = failureOf(() => readPlan(file, state, 'pod', undefined))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(/was changed since/) })
  })

  test('cannot have one deployed that another checkout made', async () => {
    const { file } = await save(join(tempFolder(), 'other', '.infra'))
    for (const folder of [state, join(tempFolder(), 'new')])
      expect(failureOf(() => readPlan(file, folder, 'pod', undefined))?.message).toMatch(/not saved by this checkout/)
  })

  test('cannot have one deployed that is older than a week', async () => {
    const { file } = await save()
    vi.useFakeTimers({ now: Date.now() + 8 * 86_400_000, toFake: ['Date'] })
    const failure = failureOf(() => readPlan(file, state, 'pod', undefined))
    vi.useRealTimers()
    expect(failure).toMatchObject({ kind: 'stale', message: expect.stringMatching(/older than 7 days/) })
  })

  test('cannot use a key that others could read', async () => {
    const { file } = await save()
    chmodSync(ownKeyPath(state, 'plan'), 0o640)
    const failure = failureOf(() => readPlan(file, state, 'pod', undefined))
    chmodSync(ownKeyPath(state, 'plan'), 0o600)
    expect(failure).toMatchObject({
      message: expect.stringMatching(/others can read/),
      remedy: expect.stringContaining('rm '),
    })
  })
})

test('of the droplet is saved with what it was asked for, and deployed by the script that it is told', async () => {
  const file = join(tempFolder(), 'plan.json')
  const of = { root: tempFolder(), file: 'pod/provision/cli.ts' }
  const { code, stderr } = await runCli('pod', ['plan', '--write-env', '--out', file], of)
  expect([code, stderr]).toEqual([0, expect.stringContaining(`saved: npm run provision -w pod -- --plan ${file}`)])
  expect(readPlan(file, join(of.root, '.infra'), 'pod', undefined).workspaceOptions).toEqual({ 'write-env': true })
})

describe('refused, with how to make one:', () => {
  const cases: [string, string | undefined, RegExp][] = [
    ['no file', undefined, /ENOENT/],
    ['no JSON', 'hello', /JSON/],
    ['null', 'null', /is not a saved plan/],
    ['an array', '[]', /is not a saved plan/],
    ['an older format', JSON.stringify({ format: 1, workspace: 'pod', steps: {} }), /older version/],
    ['another format', JSON.stringify({ format: 3, workspace: 'pod', steps: {} }), /is not a saved plan/],
    [
      'another workspace',
      JSON.stringify({ format: 2, workspace: 'cluster', steps: {} }),
      /plan of cluster, not of pod/,
    ],
    [
      'another environment',
      JSON.stringify({ format: 2, workspace: 'pod', environment: 'staging', steps: {} }),
      /plan of pod --env staging, not of pod/,
    ],
  ]
  test.each(cases)('%s', (_name, content, message) => {
    const file = join(tempFolder(), 'plan.json')
    if (content !== undefined) writeFileSync(file, content)
    const failure = failureOf(() => readPlan(file, state, 'pod', undefined))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) })
    expect(failure?.remedy).toBeTruthy()
  })

  test('a place that cannot be written', async () => {
    const file = join(tempFolder(), 'nowhere', 'plan.json')
    const plan = await planned(tempFolder())
    expect(failureOf(() => savePlan(file, state, plan, about))).toMatchObject({
      remedy: expect.stringContaining('--out'),
    })
  })
})
