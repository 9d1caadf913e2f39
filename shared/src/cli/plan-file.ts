import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { keyed, sameSeal } from '../command/keyed.ts'
import { digestPlan } from '../engine/digest.ts'
import { Failure } from '../engine/failure.ts'
import type { Plan } from '../engine/plan.ts'
import { usage, type WorkspaceOptions } from './options.ts'
import { ownKey } from './own-key.ts'

/**
 * What is kept of a reviewed plan: no fact and no secret, only fingerprints of what was found and decided. They are keyed
 * by what this checkout alone has, so the file confirms no guess of a password; and the whole is sealed by the same key.
 */
export interface PlanFile {
  readonly format: 2
  readonly workspace: string
  readonly environment: string | undefined
  readonly tags: readonly string[] | undefined
  readonly skipTags: readonly string[] | undefined
  /** The workspace's own options that it was made with, such as `--prune`. */
  readonly workspaceOptions?: WorkspaceOptions
  readonly made: string
  readonly salt: string
  readonly steps: Readonly<Record<string, string>>
  readonly seal: string
}

/** For how long a saved plan may be deployed, in days: after that nobody remembers what was reviewed. */
const goodFor = 7

/** Saves a plan, readable by its owner only. `folder` is the project's own, which holds the key. */
export function savePlan(
  path: string,
  folder: string,
  plan: Plan,
  about: Pick<PlanFile, 'workspace' | 'environment' | 'tags' | 'skipTags' | 'workspaceOptions'>,
): void {
  const salt = randomBytes(16).toString('hex')
  const temp = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const key = ownKey(folder, 'plan', true) ?? ''
    const steps = digestPlan(plan, keyed(key, salt))
    const saved = { format: 2, ...about, made: new Date().toISOString(), salt, steps } as const
    // Not through what stands there: the folder may be one that others can write, such as /tmp.
    const text = `${JSON.stringify({ ...saved, seal: sealOf(saved, key) }, null, 2)}\n`
    writeFileSync(temp, text, { mode: 0o600, flag: 'wx' })
    renameSync(temp, path)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('error', `the plan cannot be saved to ${path}: ${(error as Error).message}`, {
      remedy: 'Name a file in a folder that you can write with --out.',
    })
  }
}

function sealOf({ seal: _, ...rest }: Partial<PlanFile>, key: string): string {
  return keyed(key, JSON.stringify(rest))
}

/**
 * Reads a saved plan. Throws a usage failure for what is none, is one of another workspace, environment or checkout, or
 * was changed since; a `stale` one for what is too old.
 */
export function readPlan(path: string, folder: string, workspace: string, environment: string | undefined): PlanFile {
  let saved: PlanFile | null
  try {
    saved = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usage(
      `--plan ${path}: ${(error as Error).message}`,
      `Make one: npm run plan -w ${workspace} -- --out ${path}`,
    )
  }
  if ((saved?.format as number | undefined) === 1)
    throw usage(`--plan ${path} was saved by an older version of this tool`, 'Plan again, review, and deploy that.')
  if (saved?.format !== 2 || !saved.steps)
    throw usage(`--plan ${path} is not a saved plan`, `Make one: npm run plan -w ${workspace} -- --out ${path}`)
  if (saved.workspace !== workspace || saved.environment !== environment) {
    const of = (name: string, env: string | undefined) => (env ? `${name} --env ${env}` : name)
    throw usage(
      `--plan ${path} is a plan of ${of(saved.workspace, saved.environment)}, not of ${of(workspace, environment)}`,
      'Deploy it with the workspace and environment that it was made for.',
    )
  }
  const key = ownKey(folder, 'plan', false)
  if (key === undefined || !sameSeal(String(saved.seal), sealOf(saved, key)))
    throw usage(
      `--plan ${path} was not saved by this checkout, or was changed since; nothing was done`,
      'A plan is deployed from where it was made. Plan again, review, and deploy that.',
    )
  const age = (Date.now() - Date.parse(saved.made)) / 86_400_000
  if (!(age < goodFor && age > -1))
    throw new Failure('stale', `the plan of ${saved.made} is older than ${goodFor} days, or of the future`, {
      remedy: 'Plan again, review, and deploy the new plan.',
    })
  return saved
}

/** Throws a `stale` failure unless this is the plan that was saved: the same facts, the same changes. */
export function assertFresh(saved: PlanFile, folder: string, plan: Plan): void {
  const now = digestPlan(plan, keyed(ownKey(folder, 'plan', false) ?? '', saved.salt))
  const ids = new Set([...Object.keys(saved.steps), ...Object.keys(now)])
  const moved = [...ids].filter((id) => saved.steps[id] !== now[id])
  if (moved.length === 0) return
  throw new Failure(
    'stale',
    `the plan of ${saved.made} is stale: what it was made from has changed since; nothing was done`,
    {
      detail: moved.slice(0, 10),
      remedy: 'Plan again, review, and deploy the new plan.',
    },
  )
}
