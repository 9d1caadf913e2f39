import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { keyed, sameSeal } from '../command/keyed.ts'
import type { Cost } from '../engine/cost.ts'
import { digestPlan } from '../engine/digest.ts'
import { Failure } from '../engine/failure.ts'
import type { Plan } from '../engine/plan.ts'
import { finishedJson } from '../report/clean.ts'
import { type PlanView, viewOf } from '../report/plan-view.ts'
import { planIn } from './in-environment.ts'
import { usage, type WorkspaceOptions } from './options.ts'
import { ownKey } from './own-key.ts'

/** What is kept of the reviewed plan of one workspace: what was shown, and fingerprints of what was found and decided. */
export interface SavedPlan {
  readonly workspace: string
  readonly environment: string | undefined
  readonly tags: readonly string[] | undefined
  readonly skipTags: readonly string[] | undefined
  /** The workspace's own options that it was made with, such as `--prune`. */
  readonly workspaceOptions?: WorkspaceOptions
  readonly cost?: Cost
  /** What was assumed in place of what is there; such a plan is to be read, not deployed. */
  readonly assumed?: string
  /** Fingerprints by step. */
  readonly steps: Readonly<Record<string, string>>
  readonly shown: PlanView
}

/**
 * Reviewed plans of one or several workspaces. No secret is in it: the fingerprints are keyed by what this checkout alone
 * has, so the file confirms no guess of a password; and the whole is sealed by the same key.
 */
export interface PlanFile {
  readonly format: 3
  readonly made: string
  readonly salt: string
  readonly plans: readonly SavedPlan[]
  readonly seal: string
}

/** A plan to be saved, and what it was made with. */
export interface PlanToSave {
  readonly plan: Plan
  readonly about: Omit<SavedPlan, 'steps' | 'shown'>
}

/** For how long a saved plan may be deployed, in days: after that nobody remembers what was reviewed. */
const goodFor = 7

/** Saves plans, readable by their owner only. `folder` is the project's own, which holds the key. */
export function savePlans(path: string, folder: string, plans: readonly PlanToSave[]): void {
  const salt = randomBytes(16).toString('hex')
  const temp = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const key = ownKey(folder, 'plan', true) ?? ''
    const kept = plans.map(({ plan, about }) => ({
      ...about,
      steps: digestPlan(plan, keyed(key, salt)),
      shown: JSON.parse(finishedJson(viewOf(planIn(plan, about.environment)))) as PlanView,
    }))
    const saved = { format: 3, made: new Date().toISOString(), salt, plans: kept } as const
    // Not through what stands there: the folder may be one that others can write, such as /tmp.
    const text = `${JSON.stringify({ ...saved, seal: sealOf(saved, key) }, null, 2)}\n`
    writeFileSync(temp, text, { mode: 0o600, flag: 'wx' })
    renameSync(temp, path)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw unwritable(path, error as Error)
  }
}

/** What to do with plans that were saved: those of what was assumed are not deployed. */
export function sayPlanSaved(call: string, path: string, abouts: readonly PlanToSave['about'][]): string {
  const assumed = abouts.find((about) => about.assumed !== undefined)?.assumed
  return assumed === undefined
    ? `saved: ${call}`
    : `saved to ${path}, for reading only: it is a plan for ${assumed} (npm run show -- ${path})`
}

/** Throws, before anything is asked, unless a plan can be saved to this path. */
export function assertWritable(path: string): void {
  const temp = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
    writeFileSync(temp, '', { mode: 0o600, flag: 'wx' })
    rmSync(temp)
  } catch (error) {
    throw unwritable(path, error as Error)
  }
}

const unwritable = (path: string, error: NodeJS.ErrnoException) =>
  new Failure('error', `cannot save to ${path}: ${whyUnwritable(dirname(path), error)}`, {
    remedy: 'Name a file in a folder that you can write.',
  })

/** By the folder that the user named: node's own message names a temporary file. */
function whyUnwritable(folder: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return `the folder ${folder} does not exist`
  if (code === 'ENOTDIR') return `${folder} is not a folder`
  if (code === 'EACCES' || code === 'EPERM') return `you may not write into ${folder}`
  return code ?? message
}

function sealOf({ seal: _, ...rest }: Partial<PlanFile>, key: string): string {
  return keyed(key, JSON.stringify(rest))
}

/** Reads saved plans as they are, whoever made them. Throws a usage failure for a file that holds none. */
export function readPlanFile(path: string, option = '--plan '): PlanFile {
  const remedy = 'Make one: npm run plan -- --out FILE; with -w WORKSPACE, of that one alone.'
  const saved = parsedPlan(readPlanText(path, option, remedy))
  const format = saved?.format as number | undefined
  if (format === 1 || format === 2)
    throw usage(
      `${option}${path} was saved by an older version of this tool`,
      'Plan again, review, and deploy the new plan.',
    )
  if (format !== 3 || !Array.isArray(saved?.plans)) throw usage(`${option}${path} is not a saved plan`, remedy)
  return saved as PlanFile
}

/** The text of a file that the user names. Throws a usage failure that says why it cannot be read. */
function readPlanText(path: string, option: string, remedy: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw usage(`${option}${path}: there is no file of that name`, remedy)
    if (code === 'EISDIR') throw usage(`${option}${path} is a folder, not a saved plan`, remedy)
    throw usage(`${option}${path} cannot be read (${code})`, 'Make it readable for this user, or make a new plan.')
  }
}

function parsedPlan(text: string): PlanFile | null {
  try {
    return JSON.parse(text)
  } catch {
    return null // some other text
  }
}

/** Whether it is as this checkout saved it. */
export function isSealed(saved: PlanFile, folder: string): boolean {
  const key = ownKey(folder, 'plan', false)
  return key !== undefined && sameSeal(String(saved.seal), sealOf(saved, key))
}

/**
 * Reads saved plans to deploy them. Throws a usage failure for a file of another checkout, and for one that was changed
 * since; a `stale` one for what is too old.
 */
export function readPlans(path: string, folder: string): PlanFile {
  const saved = readPlanFile(path)
  if (!isSealed(saved, folder))
    throw usage(
      `--plan ${path} was not saved by this checkout, or was changed since; nothing was done`,
      'Only the checkout that made a plan can deploy it. Plan again, review, and deploy the new plan.',
    )
  const assumed = saved.plans.find((plan) => plan.assumed !== undefined)?.assumed
  if (assumed !== undefined)
    throw usage(
      `--plan ${path} is a plan for ${assumed}: it is for reading only; nothing was done`,
      'Plan without --offline, review, and deploy the new plan.',
    )
  const age = (Date.now() - Date.parse(saved.made)) / 86_400_000
  if (!(age < goodFor && age > -1))
    throw new Failure('stale', `the plan of ${saved.made} is older than ${goodFor} days, or has a time in the future`, {
      remedy: 'Plan again, review, and deploy the new plan.',
    })
  return saved
}

/** The plan of one workspace among saved ones. Throws a usage failure where it is not among them. */
export function planOf(saved: PlanFile, path: string, workspace: string, environment: string | undefined): SavedPlan {
  const found = saved.plans.find((plan) => plan.workspace === workspace && plan.environment === environment)
  if (found) return found
  throw usage(
    `--plan ${path} is a plan of ${sayPlans(saved)}, not of ${ofEnvironment(workspace, environment)}`,
    'Deploy it with the workspace and environment that it was made for.',
  )
}

/** Throws a usage failure where all of the saved plans are of another environment. */
export function assertEnvironment(saved: PlanFile, path: string, environment: string | undefined): void {
  if (saved.plans.some((plan) => plan.environment === environment)) return
  const own = saved.plans[0]?.environment
  throw usage(
    `--plan ${path} is a plan of ${sayPlans(saved)}; ${environment ? `--env ${environment}` : 'no --env'} was given`,
    own ? `npm run deploy -- --env ${own} --plan ${path}` : 'Leave out --env.',
  )
}

const ofEnvironment = (name: string, env: string | undefined) => (env ? `${name} --env ${env}` : name)

/** `pod --env staging and cluster --env staging`. */
const sayPlans = ({ plans }: PlanFile): string =>
  plans.map((plan) => ofEnvironment(plan.workspace, plan.environment)).join(' and ')

/** Throws a `stale` failure unless this is the plan that was saved: the same facts, the same changes. */
export function assertFresh(file: PlanFile, saved: SavedPlan, folder: string, plan: Plan): void {
  const now = digestPlan(plan, keyed(ownKey(folder, 'plan', false) ?? '', file.salt))
  const ids = new Set([...Object.keys(saved.steps), ...Object.keys(now)])
  const moved = [...ids].filter((id) => saved.steps[id] !== now[id])
  if (moved.length === 0) return
  throw new Failure(
    'stale',
    `the plan of ${file.made} is stale: its facts or inputs have changed since; nothing was done`,
    {
      detail: moved.slice(0, 10),
      remedy: 'Plan again, review, and deploy the new plan.',
    },
  )
}
