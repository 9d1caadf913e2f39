import type { Plan } from './plan.ts'
import type { Change, Risk, Verb } from './step.ts'

/** How a change went. */
export type Outcome = 'done' | 'failed' | 'reverted' | 'interrupted'

/** Everything a run tells, in order. Reporters turn it into text or JSON; nothing else prints. */
export type Event =
  | { type: 'run.start'; workspace: string; command: string; environment: string | undefined }
  | { type: 'ask.start'; target: string; questions: number }
  | { type: 'ask.end'; target: string; questions: number; ms: number }
  | { type: 'plan'; plan: Plan; ms: number }
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
    }
  | { type: 'check.summary'; counts: Readonly<Record<CheckOutcome, number>>; ms: number }
  | { type: 'message'; level: 'info' | 'warn'; text: string }
  | { type: 'failure'; kind: string; message: string; remedy: string | undefined; detail: readonly string[] }
  | { type: 'run.end'; workspace: string; command: string; exitCode: number; made: number; ms: number }

export type CheckOutcome = 'ok' | 'warn' | 'fail' | 'skipped'

export type Emit = (event: Event) => void
