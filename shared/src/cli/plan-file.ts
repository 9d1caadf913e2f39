import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { digestPlan } from '../engine/digest.ts'
import { Failure } from '../engine/failure.ts'
import type { Plan } from '../engine/plan.ts'
import { usage, type WorkspaceOptions } from './options.ts'

/** What is kept of a reviewed plan: no fact and no secret, only keyed fingerprints of what was found and decided. */
export interface PlanFile {
  readonly format: 1
  readonly workspace: string
  readonly environment: string | undefined
  readonly tags: readonly string[] | undefined
  readonly skipTags: readonly string[] | undefined
  /** The workspace's own options that it was made with, such as `--prune`. */
  readonly workspaceOptions?: WorkspaceOptions
  readonly made: string
  readonly salt: string
  readonly steps: Readonly<Record<string, string>>
}

/** Saves a plan, readable by its owner only. */
export function savePlan(
  path: string,
  plan: Plan,
  about: Pick<PlanFile, 'workspace' | 'environment' | 'tags' | 'skipTags' | 'workspaceOptions'>,
): void {
  const salt = randomBytes(16).toString('hex')
  const saved: PlanFile = { format: 1, ...about, made: new Date().toISOString(), salt, steps: digestPlan(plan, salt) }
  const temp = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temp, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 })
    renameSync(temp, path)
  } catch (error) {
    throw new Failure('error', `the plan cannot be saved to ${path}: ${(error as Error).message}`, {
      remedy: 'Name a file in a folder that you can write with --out.',
    })
  }
}

/** Reads a saved plan. Throws a usage failure for what is none, or is one of another workspace or environment. */
export function readPlan(path: string, workspace: string, environment: string | undefined): PlanFile {
  let saved: PlanFile | null
  try {
    saved = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usage(
      `--plan ${path}: ${(error as Error).message}`,
      `Make one: npm run plan -w ${workspace} -- --out ${path}`,
    )
  }
  if (saved?.format !== 1 || !saved.steps)
    throw usage(`--plan ${path} is not a saved plan`, `Make one: npm run plan -w ${workspace} -- --out ${path}`)
  if (saved.workspace !== workspace || saved.environment !== environment) {
    const of = (name: string, env: string | undefined) => (env ? `${name} --env ${env}` : name)
    throw usage(
      `--plan ${path} is a plan of ${of(saved.workspace, saved.environment)}, not of ${of(workspace, environment)}`,
      'Deploy it with the workspace and environment that it was made for.',
    )
  }
  return saved
}

/** Throws a `stale` failure unless this is the plan that was saved: the same facts, the same changes. */
export function assertFresh(saved: PlanFile, plan: Plan): void {
  const now = digestPlan(plan, saved.salt)
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
