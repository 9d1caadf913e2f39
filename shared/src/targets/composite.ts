import type { Command, Output } from '../command/command.ts'
import type { Listener, Target } from '../engine/target.ts'

/**
 * A target with another beside it: a command that `belongs` to the other goes there, so that one step may ask of both,
 * such as a cloud and this machine. Name and lock are those of the first.
 */
export function compositeTarget<T extends Target>(
  primary: T,
  secondary: Target,
  routesToSecondary: (command: Command) => boolean,
): T {
  return {
    ...primary,
    get name() {
      return primary.name
    },
    typed: (command: Command) => {
      const target = routesToSecondary(command) ? secondary : primary
      return target.typed?.(command) ?? command.line
    },
    async ask(questions: readonly Command[]) {
      const [own, others] = await Promise.all([
        primary.ask(questions.filter((question) => !routesToSecondary(question))),
        secondary.ask(questions.filter(routesToSecondary)),
      ])
      const rest = { own: [...own], others: [...others] }
      return questions.map((question) => (routesToSecondary(question) ? rest.others : rest.own).shift() as Output)
    },
    async run(commands: readonly Command[], hear: Listener) {
      const outputs: Output[] = []
      for (const command of commands) {
        const made = await (routesToSecondary(command) ? secondary : primary).run([command], hear)
        outputs.push(...made)
        if (made.some(({ code }) => code !== 0)) break
      }
      return outputs
    },
  }
}
