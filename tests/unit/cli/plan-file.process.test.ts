import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownKeyPath } from '@infra/shared/cli/own-key'
import {
  assertFresh,
  assertWritable,
  type PlanFile,
  planOf,
  readPlanFile,
  readPlans,
  savePlans,
} from '@infra/shared/cli/plan-file'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { digestPlan } from '@infra/shared/engine/digest'
import { Failure } from '@infra/shared/engine/failure'
import { makePlan, type Plan } from '@infra/shared/engine/plan'
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

/** Saves a plan of the pod as `plan --out` does. */
const savePod = (file: string, folder: string, plan: Plan) => savePlans(file, folder, [{ plan, about }])

/** Reads that of the pod as `deploy --plan` does. */
function readPod(file: string, folder: string) {
  const saved = readPlans(file, folder)
  return { file: saved, plan: planOf(saved, file, 'pod', undefined) }
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
  test('names its environment wherever it tells what to type', async () => {
    const { steps } = await planned(tempFolder())
    const notes = ['Then npm run restart -w pod -- synapse.']
    const noted = steps.map((one) => ({ ...one, decision: one.decision && { ...one.decision, notes } }) as typeof one)
    const file = join(tempFolder(), 'plan.json')
    savePlans(file, state, [{ plan: { steps: noted }, about: { ...about, environment: 'staging' } }])
    const told = readFileSync(file, 'utf8').match(/npm run restart [^"]*/g)
    expect(new Set(told)).toEqual(new Set(['npm run restart -w pod -- --env staging synapse.']))
  })

  test('of assumed targets is refused as soon as it is read', async () => {
    const [folder, file] = [tempFolder(), join(tempFolder(), 'plan.json')]
    savePlans(file, folder, [{ plan: await planned(folder), about: { ...about, assumed: 'new, blank targets' } }])
    expect(failureOf(() => readPlans(file, folder))).toMatchObject({
      kind: 'usage',
      message: `--plan ${file} is a plan for new, blank targets: it is for reading only; nothing was done`,
    })
  })

  test('that cannot be saved is told by the path that was given', () => {
    const [folder, path] = [tempFolder(), '/nowhere/at/all/plan']
    for (const act of [() => assertWritable(path), () => savePlans(path, folder, [])])
      expect(failureOf(act)?.message).toBe(`cannot save to ${path}: the folder /nowhere/at/all does not exist`)
    writeFileSync(join(folder, 'file'), '')
    const under = join(folder, 'file', 'plan')
    expect(failureOf(() => assertWritable(under))?.message).toBe(
      `cannot save to ${under}: ${join(folder, 'file')} is not a folder`,
    )
  })

  test('comes back as it was, is private, and holds no secret', async () => {
    const folder = tempFolder()
    const file = join(tempFolder(), 'plan.json')
    writeFileSync(join(folder, 'motd'), 'what-was-there-before')
    const plan = await planned(folder)
    savePod(file, state, plan)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain('sentinel')
    const { file: all, plan: saved } = readPod(file, state)
    expect(saved).toMatchObject({ workspace: 'pod', tags: ['db'], shown: { counts: { create: 1, update: 1 } } })
    expect(Object.keys(saved.steps)).toEqual(['note motd', 'note password'])
    expect(failureOf(() => assertFresh(all, saved, state, plan))).toBeUndefined()
    expect(failureOf(() => assertFresh(all, saved, state, { steps: [...plan.steps] }))).toBeUndefined()
  })

  test('replaces a file that others could read, and leaves no other file', async () => {
    const folder = tempFolder()
    const file = join(folder, 'plan.json')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    savePod(file, state, await planned(tempFolder()))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['plan.json'])
  })

  test('is stale once a fact, a desired, a secret or the list of steps is another', async () => {
    const folder = tempFolder()
    const file = join(tempFolder(), 'plan.json')
    const plan = await planned(folder)
    savePod(file, state, plan)
    const { file: all, plan: saved } = readPod(file, state)
    const stale = (other: typeof plan) => failureOf(() => assertFresh(all, saved, state, other))
    expect(stale(await planned(folder, 'sentinel-of-a-plan', 'other desired'))?.detail).toEqual(['note motd'])
    expect(stale(await planned(folder, 'another-password'))?.detail).toEqual(['note password'])
    expect(stale({ steps: plan.steps.slice(1) })?.detail).toEqual(['note motd'])
    writeFileSync(join(folder, 'password'), 'foreign')
    expect(stale(await planned(folder))).toMatchObject({ kind: 'stale', detail: ['note password'] })
  })
})

/** A file of saved plans, to be tampered with. */
type Changeable = Record<string, unknown> & {
  salt: string
  plans: (Record<string, unknown> & { steps: Record<string, string> })[]
}

describe('whoever gets hold of a saved plan', () => {
  const save = async (folder = state) => {
    const file = join(tempFolder(), 'plan.json')
    savePod(file, folder, await planned(tempFolder()))
    const saved: Changeable = JSON.parse(readFileSync(file, 'utf8'))
    return { file, saved, plan: saved.plans[0] as Changeable['plans'][0] }
  }

  test('cannot confirm a guess of a password from it: what keys the fingerprints is not beside them', async () => {
    const { saved, plan } = await save()
    const guess = await planned(tempFolder())
    expect(digestPlan(guess, saved.salt)).not.toMatchObject({ 'note password': plan.steps['note password'] })
    expect(readFileSync(ownKeyPath(state, 'plan'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(statSync(ownKeyPath(state, 'plan')).mode & 0o777).toBe(0o600)
  })

  test.each<[string, (plan: Changeable['plans'][0], saved: Changeable) => void]>([
    ['cut steps out of it', ({ steps }) => delete steps['note motd']],
    ['put one in', ({ steps }) => Object.assign(steps, { other: '0' })],
    ['have it made for other scripts', (plan) => Object.assign(plan, { tags: undefined })],
    ['give it the options of a removal', (plan) => Object.assign(plan, { workspaceOptions: { prune: true } })],
    [
      'make an old one new',
      (_, saved) => Object.assign(saved, { made: new Date().toISOString().replace(/\d\dZ/, '00Z') }),
    ],
    ['have something else shown', (plan) => Object.assign(plan, { shown: { counts: {}, risks: {}, steps: [] } })],
    ['take the seal off', (_, saved) => delete saved.seal],
  ])('cannot %s', async (_name, change) => {
    const { file, saved, plan } = await save()
    change(plan, saved)
    writeFileSync(file, JSON.stringify(saved))
    const failure = failureOf(() => readPod(file, state))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(/was changed since/) })
  })

  test('cannot have one deployed that another checkout made', async () => {
    const { file } = await save(join(tempFolder(), 'other', '.infra'))
    for (const folder of [state, join(tempFolder(), 'new')])
      expect(failureOf(() => readPod(file, folder))?.message).toMatch(/not saved by this checkout/)
  })

  test('cannot have one deployed that is older than a week', async () => {
    const { file } = await save()
    vi.useFakeTimers({ now: Date.now() + 8 * 86_400_000, toFake: ['Date'] })
    const failure = failureOf(() => readPod(file, state))
    vi.useRealTimers()
    expect(failure).toMatchObject({ kind: 'stale', message: expect.stringMatching(/older than 7 days/) })
  })

  test('cannot use a key that others could read', async () => {
    const { file } = await save()
    chmodSync(ownKeyPath(state, 'plan'), 0o640)
    const failure = failureOf(() => readPod(file, state))
    chmodSync(ownKeyPath(state, 'plan'), 0o600)
    expect(failure).toMatchObject({
      message: expect.stringMatching(/others can read/),
      remedy: expect.stringContaining('rm '),
    })
  })
})

test('of the droplet is saved with what it was asked for', async () => {
  const file = join(tempFolder(), 'plan.json')
  const of = { root: tempFolder(), file: 'pod/provision/cli.ts' }
  const { code, stderr } = await runCli('pod', ['plan', '--write-env', '--out', file], of)
  expect([code, stderr]).toEqual([0, expect.stringContaining(`saved to ${file}, for reading only`)])
  expect(planOf(readPlanFile(file), file, 'pod', undefined).workspaceOptions).toEqual({ 'write-env': true })
})

describe('refused, with how to make one:', () => {
  const cases: [string, string | undefined, RegExp][] = [
    ['no file', undefined, /there is no file of that name/],
    ['no JSON', 'hello', /is not a saved plan/],
    ['null', 'null', /is not a saved plan/],
    ['an array', '[]', /is not a saved plan/],
    ['an older format', JSON.stringify({ format: 2, workspace: 'pod', steps: {} }), /older version/],
    ['another format', JSON.stringify({ format: 4, plans: [] }), /is not a saved plan/],
  ]
  test.each(cases)('%s', (_name, content, message) => {
    const file = join(tempFolder(), 'plan.json')
    if (content !== undefined) writeFileSync(file, content)
    const failure = failureOf(() => readPod(file, state))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) })
    expect(failure?.remedy).toBeTruthy()
  })

  test.each([
    [{ workspace: 'cluster' }, /plan of cluster, not of pod/],
    [{ workspace: 'pod', environment: 'staging' }, /plan of pod --env staging, not of pod/],
  ])('another workspace or environment', (of, message) => {
    const saved = { plans: [{ ...about, ...of }] } as unknown as PlanFile
    const failure = failureOf(() => planOf(saved, 'a.plan', 'pod', undefined))
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) })
    expect(failure?.remedy).toBeTruthy()
  })

  test('a place that cannot be written', async () => {
    const file = join(tempFolder(), 'nowhere', 'plan.json')
    const plan = await planned(tempFolder())
    expect(failureOf(() => savePod(file, state, plan))).toMatchObject({
      remedy: expect.stringContaining('a folder that you can write'),
    })
  })
})
