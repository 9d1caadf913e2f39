import { type Command, type Output, revealText } from '../command/command.ts'
import { inputsOf } from '../command/inputs.ts'
import { isSecret, reveal, type Secret } from '../command/secret.ts'
import type { Target } from '../engine/target.ts'
import { inOrder } from './in-order.ts'
import { digestInputs } from './input-files.ts'
import { runLocal } from './process.ts'

export interface LocalOptions {
  readonly name?: string
  /** What the commands find in their environment, beside our own; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | Secret | undefined>>
}

/**
 * This machine: questions run side by side, commands in order, each by `sh` with a controlled environment, which is how
 * a secret reaches a program that takes it by no other way. A line of `inputs` is answered by this process.
 */
export function local({ name = 'this machine', env = {} }: LocalOptions = {}): Target {
  const open = Object.fromEntries(
    Object.entries(env).map(([key, value]) => [key, isSecret(value) ? reveal(value) : value]),
  )
  const execute = async (command: Command, hear: (line: string) => void = () => {}): Promise<Output> => {
    const inputs = inputsOf(command)
    if (inputs) return digestInputs(inputs)
    return runLocal(command.line, command.stdin ? revealText(command.stdin) : '', open, hear)
  }
  return {
    name,
    blank: false,
    ask: (questions) => Promise.all(questions.map((question) => execute(question))),
    run: (commands, hear) => inOrder(commands, (command) => execute(command, hear)),
    close: async () => {},
  }
}
