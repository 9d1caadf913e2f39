import { nothing } from '../command/command.ts'
import { isDoCommand, typedRequest } from '../command/digitalocean.ts'
import type { Target } from '../engine/target.ts'

/** A target that does not exist yet, or shall not be asked: planned as a new, empty one. It cannot be changed. */
export function blank(name: string): Target {
  return {
    name,
    blank: true,
    typed: (command) => (isDoCommand(command) ? typedRequest(command) : command.line),
    ask: async (questions) => questions.map(() => nothing),
    run: async () => {
      throw new Error(`${name}: a blank target was to be changed`)
    },
    close: async () => {},
  }
}
