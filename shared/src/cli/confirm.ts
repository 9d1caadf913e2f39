import { Failure } from '../engine/failure.ts'
import { changesOf, type Plan } from '../engine/plan.ts'
import { oneLine } from '../report/clean.ts'
import { promptStream, terminals } from '../report/outlet.ts'
import { usage } from './options.ts'

/** Whether somebody can be asked: not in a pipe, in JSON mode, or below turbo, whose prompts hang. */
export function canAsk(json: boolean, env: NodeJS.ProcessEnv): boolean {
  const { in: input, err } = terminals()
  return input && err && !json && !env.TURBO_HASH && !env.CI
}

/** Gets a yes for a plan, or throws: `interrupted` for a no, `usage` where nobody can be asked. */
export async function confirmPlan(plan: Plan, target: string, interactive: boolean): Promise<void> {
  const count = plan.steps.flatMap(changesOf).length
  await confirm(`Apply ${count === 1 ? 'this change' : `these ${count} changes`} to ${target}?`, interactive)
}

/** Asks a yes-or-no question; no is the default. */
export async function confirm(
  question: string,
  interactive: boolean,
  remedy = 'Pass --yes to apply without confirmation, or --check to show the plan only.',
): Promise<void> {
  if (!interactive)
    throw usage(`there is no terminal to confirm on, so nothing was changed: ${oneLine(question)}`, remedy)
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: oneLine(question), initialValue: false, output: promptStream })
  if (answer !== true) throw new Failure('interrupted', 'not confirmed; nothing was changed')
}

/** Has the names of what shall be lost typed, separated by blanks or commas; none is an answer too. */
export async function typeNames(known: readonly string[], interactive: boolean): Promise<readonly string[]> {
  if (!interactive) {
    throw usage(
      'there is no terminal to confirm the deletion on, so nothing was changed',
      `Name each: ${known.map((name) => `--confirm ${name}`).join(' ')}`,
    )
  }
  const prompts = await import('@clack/prompts')
  const message = `These hold data: ${known.join(', ')}. Type the names of those to delete permanently`
  const answer = await prompts.text({ message: oneLine(message), defaultValue: '', output: promptStream })
  if (typeof answer !== 'string') throw new Failure('interrupted', 'not confirmed; nothing was changed')
  return answer.split(/[\s,]+/).filter(Boolean)
}

/** Has a name typed, for what cannot be undone by another run; anything else ends the run. */
export async function confirmByName(question: string, name: string, interactive: boolean): Promise<void> {
  if (!interactive)
    throw usage(`${question}: there is no terminal to confirm on, so nothing was changed`, `Give --confirm ${name}`)
  const prompts = await import('@clack/prompts')
  const answer = await prompts.text({ message: oneLine(`${question}. Type ${name} to continue`), output: promptStream })
  if (typeof answer !== 'string' || answer.trim() !== name)
    throw new Failure('interrupted', 'not confirmed; nothing was changed')
}
