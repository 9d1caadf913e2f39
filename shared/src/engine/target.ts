import type { Command, Output } from '../command/command.ts'
import { transcript } from '../command/transcript.ts'
import type { Failure } from './failure.ts'
import type { Guard } from './step.ts'

/** Hears the lines that a running command prints, as they come. */
export type Listener = (line: string) => void

/** The commands of a change on a target as a reader may type them: {@link transcript}. */
export function transcripts(on: Target, commands: readonly Command[]): string[] {
  return commands.map((command) => transcript(command, on.typed?.(command) ?? command.line))
}

/** What the commands of a guarded change gave and, where one failed, what became of the change: `it was reverted`. */
export interface GuardedOutputs {
  readonly outputs: readonly Output[]
  readonly became?: string
}

/** Where steps act: a host, a cloud account, a cluster. The engine knows no more of it than this. */
export interface Target {
  /** For the plan's head: `root@203.0.113.10`, `aws 123456789012 ca-central-1`. */
  readonly name: string
  /** Nothing to connect to yet: every question is answered by `nothing`, and no change can be made. */
  readonly blank: boolean
  /** The line to type for a command, as it is sent: `ssh root@203.0.113.10 sh -s <<<…`. The command's own line otherwise. */
  typed?(command: Command): string
  /** A remedy with what a shell needs first, so that its commands reach this target and no other. */
  remedyToType?(remedy: string): string
  /** Finds out who or what it is, where `name` cannot tell before. */
  identify?(): Promise<void>
  /** An earlier step makes it: until then every question is answered by `nothing`, and what is planned is tentative. */
  readonly notCreatedYet?: boolean
  /**
   * What it answers may lag behind what was changed: how long to wait, in seconds, each time that a change does not show
   * yet, and what to tell when it never does. Left out: an answer is the truth.
   */
  readonly lag?: { readonly waits: readonly number[]; readonly remedy: string }
  /** The failure that an answer tells of when we may not ask that: it stops a run before anything is changed. */
  denied?(answer: Output): Failure | undefined
  /** Asks many questions at once, none of which writes. Answers in the same order. */
  ask(questions: readonly Command[]): Promise<readonly Output[]>
  /** Runs commands in order up to the first that fails; the answers of those that ran. */
  run(commands: readonly Command[], hear: Listener): Promise<readonly Output[]>
  /** As `run`, confirmed or reverted. Where a target has none, guarded changes are run as others. */
  guarded?(commands: readonly Command[], guard: Guard, hear: Listener): Promise<GuardedOutputs>
  /** Takes the lock of this target. Throws a `locked` failure when another holds it. */
  lock?(request: LockRequest): Promise<Lock>
  /** Who holds the lock; undefined where nobody does. */
  holder?(): Promise<string | undefined>
  /** What it keeps of the runs that changed it, the newest last: lines. */
  entries?(): Promise<string>
  /** Removes the lock whoever holds it; gives the holder's words, or undefined when there was none. */
  unlock?(): Promise<string | undefined>
  close(): Promise<void>
}

export interface LockRequest {
  /** Who asks, for the one who will find it held: `ana@laptop pid 4242`. */
  readonly holder: string
  /** How long to wait for another holder, in seconds. */
  readonly timeout: number
  /** Called once when it has to wait, with the holder's words. */
  waiting(holder: string): void
  /** What the target shall keep of the run, once something was changed under the lock: a short line. Left out: nothing. */
  readonly entry?: string | undefined
  /** Called where that line cannot be kept. */
  warn?(text: string): void
}

export interface Lock {
  /** Gives it up. `result` ends the line that the target keeps of a run that changed something; without it keeps none. */
  release(result?: string): Promise<void>
}
