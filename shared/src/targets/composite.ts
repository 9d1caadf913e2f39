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
      const askOf = (target: Target, of: readonly Command[]) => (of.length > 0 ? target.ask(of) : [])
      const [own, others] = await Promise.all([
        askOf(
          primary,
          questions.filter((question) => !routesToSecondary(question)),
        ),
        askOf(secondary, questions.filter(routesToSecondary)),
      ])
      const rest = { own: [...own], others: [...others] }
      return questions.map((question) => (routesToSecondary(question) ? rest.others : rest.own).shift() as Output)
    },
    async run(commands: readonly Command[], hear: Listener) {
      const outputs: Output[] = []
      for (let at = 0; at < commands.length; ) {
        // What goes to one of them in a row goes at once.
        const isOther = routesToSecondary(commands[at] as Command)
        const rest = commands.slice(at)
        const end = rest.findIndex((command) => routesToSecondary(command) !== isOther)
        const row = end < 0 ? rest : rest.slice(0, end)
        const made = await (isOther ? secondary : primary).run(row, hear)
        outputs.push(...made)
        if (made.some(({ code }) => code !== 0)) break
        at += row.length
      }
      return outputs
    },
  }
}
