import type { Command, Output } from '../command/command.ts'
import { redact } from '../command/secret.ts'
import type { Emit } from './events.ts'
import { Failure } from './failure.ts'
import { where } from './plan.ts'
import type { Change, Explained, Step } from './step.ts'
import { type GuardedOutputs, transcripts } from './target.ts'

/**
 * Sends the commands of one change; `items` are those of its batch, if it has one. Throws a Failure that names the step,
 * the cause and the command when one of them fails, after `undo` was tried.
 */
export async function makeChange(step: Step, change: Change, items: readonly string[], emit: Emit): Promise<void> {
  const hear = (line: string) => emit({ type: 'change.output', step: step.id, line: redact(line) })
  const commands = change.batch ? change.batch.run(items) : change.run
  emit({ type: 'change.commands', step: step.id, commands: transcripts(step.on, commands) })
  const { outputs, became } = await send(step, change, commands, hear).catch((error: unknown) => {
    throw named(step, error)
  })
  const failed = outputs.findIndex(({ code }) => code !== 0)
  if (failed < 0) return
  const undone = change.undo ? await undo(step, change.undo, hear) : became ? `; ${became}` : ''
  const output = outputs[failed] as Output
  const { cause, remedy } = explain(change, output)
  throw new Failure('error', `${step.id} on ${step.on.name}: ${redact(cause)} (exit code ${output.code})${undone}`, {
    detail: [`$ ${brief(commands[failed]?.line ?? '')}`, ...tail(output), ...where(step).detail],
    remedy,
  })
}

type Hear = (line: string) => void

async function send(
  { on }: Step,
  { guard }: Change,
  commands: readonly Command[],
  hear: Hear,
): Promise<GuardedOutputs> {
  if (guard && on.guarded) return on.guarded(commands, guard, hear)
  return { outputs: await on.run(commands, hear) }
}

async function undo({ on }: Step, commands: readonly Command[], hear: Hear): Promise<string> {
  const outputs = await on.run(commands, hear).catch(() => undefined)
  return outputs?.every(({ code }) => code === 0) ? '; undone' : '; undoing it failed too'
}

/** A connection that broke knows the command that ran over it, not the step that it was of. */
function named(step: Step, error: unknown): unknown {
  if (!(error instanceof Failure) || error.kind !== 'unreachable') return error
  const { kind, message, remedy, detail, cause } = error
  return new Failure(kind, `${step.id}: ${message}`, { ...(remedy && { remedy }), detail, cause })
}

function explain(change: Change, output: Output): Explained {
  const remedy = 'Fix the cause and run again: completed changes are kept, the rest is planned again.'
  if (/No space left on device|Disk quota exceeded/.test(output.stdout + output.stderr))
    return { cause: 'the disk is full', remedy }
  const told = change.explain?.(output) ?? `could not ${change.verb} ${change.say}`
  return typeof told === 'string' ? { cause: told, remedy } : told
}

/** A command as it may be pasted; of a whole program its beginning. */
function brief(line: string): string {
  const lines = line.split('\n')
  return lines.length > 6 ? `${lines[0]} … (${lines.length} lines)` : line
}

function tail({ stdout, stderr }: Output): string[] {
  const lines = (stderr.trim() === '' ? stdout : stderr).trimEnd().split(/[\r\n]+/)
  return lines.slice(-15).map((line) => redact(line))
}
