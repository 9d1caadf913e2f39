import type { Output } from '../command/command.ts'
import type { Facts, Question, Questions } from './step.ts'
import type { Target } from './target.ts'
import { whileAsking } from './waiting.ts'

/**
 * What a question finds in its answer. Throws what the question throws, and where the target ended the program that answers
 * or it was ended before it did, by a signal or by timeout(1): its silence is not an answer, whatever the question makes of
 * silence.
 */
export function factOf<T>({ command, parse }: Question<T>, answer: Output): T {
  const { code, stderr, unanswered } = answer
  if (unanswered !== undefined) throw new Error(`${unanswered} to: ${shown(command.line)}`)
  const signal = code - 128
  const fact = understood(command.line, () => parse(answer))
  if (code === 124) throw new Error(stderr.trim().split('\n').at(-1) || 'no answer in time')
  if (signal > 0 && signal <= 64) throw new Error(`its program was killed by signal ${signal}`)
  return fact
}

/** What a parser finds; where it stumbles over an answer of another shape, that is said, and nothing of the answer is. */
function understood<T>(line: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      throw new Error(`the answer has an unknown format: ${shown(line)}`)
    throw error
  }
}

function shown(text: string): string {
  const [line = '', ...more] = text.split('\n')
  return line.length > 120 || more.length > 0 ? `${line.slice(0, 120)} …` : line
}

/** Asks some questions of a target in one batch, for a command that only looks. Throws what a question throws. */
export async function askOf<const Q extends Questions>(on: Target, ask: Q): Promise<Facts<Q>> {
  const entries = Object.entries(ask)
  const commands = entries.map(([, { command }]) => command)
  const outputs = await whileAsking(`${on.name} to answer`, () => on.ask(commands))
  const facts = entries.map(([name, question], index) => {
    const output = outputs[index]
    if (!output) throw new Error(`${on.name} gave no answer to ${name}`)
    try {
      return [name, factOf(question as Question<unknown>, output)] as const
    } catch (error) {
      throw on.denied?.(output) ?? error
    }
  })
  return Object.fromEntries(facts) as Facts<Q>
}
