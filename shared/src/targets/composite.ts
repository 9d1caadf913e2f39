import type { Command, Output } from '../command/command.ts'
import type { Listener, Target } from '../engine/target.ts'

/**
 * A target with another beside it: a command that `belongs` to the other goes there, so that one step may ask of both,
 * such as a cloud and this machine. Name and lock are those of the first.
 */
export function beside<T extends Target>(main: T, other: Target, belongs: (command: Command) => boolean): T {
  return {
    ...main,
    get name() {
      return main.name
    },
    typed: (command: Command) => {
      const target = belongs(command) ? other : main
      return target.typed?.(command) ?? command.line
    },
    async ask(questions: readonly Command[]) {
      const [own, others] = await Promise.all([
        main.ask(questions.filter((question) => !belongs(question))),
        other.ask(questions.filter(belongs)),
      ])
      const rest = { own: [...own], others: [...others] }
      return questions.map((question) => (belongs(question) ? rest.others : rest.own).shift() as Output)
    },
    async run(commands: readonly Command[], hear: Listener) {
      const outputs: Output[] = []
      for (const command of commands) {
        const made = await (belongs(command) ? other : main).run([command], hear)
        outputs.push(...made)
        if (made.some(({ code }) => code !== 0)) break
      }
      return outputs
    },
  }
}
