import type { Command, Output } from '../command/command.ts'
import type { Target } from './target.ts'

/**
 * Something to find out, by a command that only reads. Equal commands of a run are asked once.
 * `parse` gets `nothing` (exit code 127) from a host that is blank; it throws when the answer tells neither yes nor no
 * (a database that is down): the step is then unknown, and asked again once what it depends on has been changed.
 */
export interface Question<T> {
  readonly command: Command
  parse(answer: Output): T
}

export type Questions = Readonly<Record<string, Question<unknown>>>

/** What the questions of a step found. */
export type Facts<Q extends Questions> = { readonly [K in keyof Q]: Q[K] extends Question<infer T> ? T : never }

/**
 * What could go wrong for the users of the machine: `rights` means that somebody may do less than before, `data` that
 * something may be lost for good.
 */
export type Risk = 'safe' | 'restart' | 'downtime' | 'rights' | 'data'

export type Verb = 'create' | 'update' | 'remove'

/** Before and after of a text; where either holds a secret only the fact of a change is kept. */
export type Diff =
  | { readonly kind: 'text'; readonly path: string; readonly before: string; readonly after: string }
  | { readonly kind: 'secret'; readonly path: string }

/** Why a command failed, where it is known what helps. */
export interface Explained {
  readonly cause: string
  readonly remedy: string
}

/** One thing to do, as data. The commands run in order and the first that fails ends them; then `undo` runs, if any. */
export interface Change {
  readonly verb: Verb
  /** What, in the words of the plan: `role valence`. */
  readonly say: string
  readonly risk: Risk
  readonly diff?: Diff
  readonly run: readonly Command[]
  readonly undo?: readonly Command[]
  /** The likely cause in a line, from the output of the command that failed. */
  explain?(output: Output): Explained | string | undefined
  /** For a change that could lock us out: see {@link Guard}. */
  readonly guard?: Guard
  /** Changes of one key may be done together, in the place of the first: see {@link Batch}. */
  readonly batch?: Batch
  /** Mends what several steps find wrong with the whole target: of one key only the first in a plan is shown and made. */
  readonly once?: string
}

/**
 * Confirmed or reverted: the host arms `undo` to run by itself after `seconds`, the change is made, a fresh connection
 * is proven, the revert is disarmed. It survives the death of our process, and of the host: it is on the disk, and what
 * was not confirmed before the host went down is undone while it boots.
 */
export interface Guard {
  readonly name: string
  readonly seconds: number
  /** Left out: what an interrupted run left armed is confirmed, or undone as that run meant it. */
  readonly undo?: Command
  /** The same before sshd and the firewall start at boot, where nothing may wait for them; `undo` where left out. */
  readonly undoAtBoot?: Command
}

/** Work that is cheaper done once: packages of several steps, or all objects of one, in one go. `run` takes the items of all. */
export interface Batch {
  readonly key: string
  readonly items: readonly string[]
  run(items: readonly string[]): readonly Command[]
}

/** `notes`: what is seen and left alone, told with every plan. */
export type Decision =
  | { readonly kind: 'converged'; readonly because: string; readonly notes?: readonly string[] }
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly notes?: readonly string[] }
  /** `alone`: while this is so, what other steps refuse is not told: their remedies are for another state of things. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string; readonly alone?: boolean }

/** What is known of the changes that come before a step, when it is planned. */
export interface PlanContext {
  /** The ids of its dependencies that will change something first, so that what this step reads may be different by then. */
  readonly pending: readonly string[]
  /** Whether any step before this one, of whichever script, will change something on the same target. */
  readonly earlierChanges?: boolean
}

/** What a step comes after: a step of the same script or of an earlier one, or the id of such a step. */
export type Dependency = Step | string

/** The id of a dependency. */
export const idOf = (dependency: Dependency): string => (typeof dependency === 'string' ? dependency : dependency.id)

/** One thing that shall be true. `plan` is pure: the same facts give the same decision. */
export interface Step<Q extends Questions = Questions> {
  readonly id: string
  readonly on: Target
  readonly ask: Q
  plan(now: Facts<Q>, context: PlanContext): Decision
  /**
   * All that has to be true before this step. While one is pending this step is decided by what is there now, and asked
   * again before it is made. Of no account where the script of the other is not in the run.
   */
  readonly dependsOn: readonly Dependency[]
  /**
   * Whether it reads what steps of earlier scripts make, such as the files of a checkout: while one that it depends on is
   * pending nobody knows that there is nothing to do, or that it must be refused.
   */
  readonly unknownWhilePending?: boolean
  /** Where it does not hold although it was made: what may be behind that beside a defect of the step. */
  readonly unsettled?: string
  /**
   * Whether the rest of a run goes on where this step cannot be done, since that hangs on others (an authority, a name
   * server): what comes after it waits, and the run fails in the end, by this step.
   */
  readonly continueOnError?: boolean
  /** Where it was made: the file and line to show with an error. */
  readonly origin: Error
}

interface StepOptions<Q extends Questions> {
  id: string
  on: Target
  ask: Q
  plan(now: Facts<Q>, context: PlanContext): Decision
  dependsOn?: readonly Dependency[]
  unknownWhilePending?: boolean
  unsettled?: string
  continueOnError?: boolean
}

/** Makes a {@link Step}; its types follow from its questions. */
export function step<const Q extends Questions>(options: StepOptions<Q>): Step {
  const made = { dependsOn: [], origin: new Error(options.id), ...options } as unknown as Step
  making?.push(made)
  return made
}

let making: Step[] | undefined

/** The steps that are made while this runs: one that a script makes and forgets to add would be missing in idleTimeout. */
export function stepsMadeBy(run: () => void): readonly Step[] {
  const outer = making
  const made: Step[] = []
  making = made
  try {
    run()
  } finally {
    making = outer
  }
  return made
}

/** Nothing to do, and why: `installed 16.4`. */
export function converged(because: string): Decision {
  return { kind: 'converged', because }
}

/** What is to be done; nothing of it, and `because` says why not. */
export function changes(list: readonly Change[], because: string): Decision {
  return list.length === 0 ? converged(because) : { kind: 'changes', changes: list }
}

/** The same decision, with what is seen and left alone. */
export function noting(decision: Decision, notes: readonly string[]): Decision {
  return decision.kind === 'refused' || notes.length === 0 ? decision : { ...decision, notes }
}

/** What must not be done, with the reason and what the user can do: the whole run stops before anything is changed. */
export function refuse(reason: string, remedy: string, more: { readonly alone?: boolean } = {}): Decision {
  return { kind: 'refused', reason, remedy, ...more }
}

type ChangeOptions = Partial<Omit<Change, 'verb' | 'say' | 'run'>>

const change =
  (verb: Verb) =>
  (say: string, run: Command | readonly Command[], options: ChangeOptions = {}): Change => ({
    verb,
    say,
    risk: 'safe',
    run: 'line' in run ? [run] : run,
    ...options,
  })

/** A change that makes what is not there. */
export const create: (say: string, run: Command | readonly Command[], options?: ChangeOptions) => Change =
  change('create')
/** A change of what is there. */
export const update: (say: string, run: Command | readonly Command[], options?: ChangeOptions) => Change =
  change('update')
/** A change that takes away. */
export const remove: (say: string, run: Command | readonly Command[], options?: ChangeOptions) => Change =
  change('remove')
