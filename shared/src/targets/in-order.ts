import type { Command, Output } from '../command/command.ts'

/** Carries commands out one after the other, up to the first that fails. Gives the answers of those that were. */
export async function inOrder(
  commands: readonly Command[],
  carryOut: (command: Command) => Promise<Output>,
): Promise<Output[]> {
  const outputs: Output[] = []
  for (const command of commands) {
    const output = await carryOut(command)
    outputs.push(output)
    if (output.code !== 0) break
  }
  return outputs
}
