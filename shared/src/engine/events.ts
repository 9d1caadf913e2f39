import type { Accounting } from './accounting.ts'
import type { Cost, TotalPrice } from './cost.ts'
import type { Plan } from './plan.ts'
import type { Change, Risk, Verb } from './step.ts'

/** How a change went. */
export type Outcome = 'done' | 'failed' | 'reverted' | 'interrupted'

/** Everything a run tells, in order. Reporters turn it into text or JSON; nothing else prints. */
export type Event =
  | {
      type: 'run.start'
      workspace: string
      command: string
      environment: string | undefined
      /** Who runs it, and where: `ana@laptop pid 4242`. */
      by?: string
      /** The commit of the checkout. */
      commit?: string | undefined
    }
  | { type: 'ask.start'; target: string; questions: number }
  | { type: 'ask.end'; target: string; questions: number; ms: number }
  | { type: 'plan'; plan: Plan; ms: number }
  /** What the workspace costs, as its declaration estimates it. */
  | ({ type: 'cost' } & Cost)
  | { type: 'plan.moved' }
  | { type: 'lock.wait'; target: string; holder: string }
  | { type: 'lock.taken'; target: string }
  | { type: 'lock.released'; target: string }
  | { type: 'script.start'; script: string }
  | { type: 'script.end'; script: string; ms: number }
  | { type: 'change.start'; script: string; step: string; verb: Verb; say: string; risk: Risk; diff?: Change['diff'] }
  /** The commands of a change that is being made, as a reader may type them. */
  | { type: 'change.commands'; step: string; commands: readonly string[] }
  | { type: 'change.output'; step: string; line: string }
  | { type: 'change.end'; step: string; say: string; outcome: Outcome; ms: number }
  /** All changes are made, and nothing is left to do. */
  | ({ type: 'applied' } & Accounting)
  /** Something long that is not a change: a backup, a restore in parts. */
  | { type: 'work.start'; say: string }
  | { type: 'work.line'; line: string }
  | { type: 'work.end'; say: string; outcome: Outcome; ms: number }
  | {
      type: 'check'
      id: string
      about: string
      severity?: 'warn' | 'fail' | undefined
      outcome: CheckOutcome
      detail: string
      remedy: string | undefined
      /** What it found is a result by itself: shown although it passed. */
      telling?: true
    }
  | { type: 'check.summary'; counts: Readonly<Record<CheckOutcome, number>>; ms: number }
  | { type: 'message'; level: 'info' | 'warn'; text: string }
  | { type: 'failure'; kind: string; message: string; remedy: string | undefined; detail: readonly string[] }
  | { type: 'run.end'; workspace: string; command: string; exitCode: number; made: number; ms: number }
  /** The end of a run over several workspaces. */
  | { type: 'summary'; command: string; workspaces: readonly WorkspaceResult[]; exitCode: number; ms: number }

export type CheckOutcome = 'ok' | 'warn' | 'fail' | 'skipped'

export type Emit = (event: Event) => void

/** What became of one workspace in a run over several. */
export interface WorkspaceResult {
  readonly workspace: string
  /** In a few words: `planned`, `unreachable`, `skipped: cluster failed`. */
  readonly result: string
  /** Left out where it did not run. */
  readonly exitCode?: number | undefined
  /** Of its plan: how many changes of each kind, and how many carry each risk. */
  readonly changes?: Readonly<Record<string, number>> | undefined
  readonly risks?: Readonly<Record<string, number>> | undefined
  /** How many changes were made. */
  readonly made?: number | undefined
  readonly checks?: Readonly<Record<CheckOutcome, number>> | undefined
  /** Of its cost, the total, in words and in numbers. */
  readonly cost?: string | undefined
  readonly price?: TotalPrice | undefined
  readonly ms?: number | undefined
}
