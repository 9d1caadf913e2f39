import { askUser, isNoUser } from '../../command/as-user.ts'
import type { Question } from '../../engine/step.ts'

/** Whether a user can run the program at this path below the home. */
export function hasProgram(user: string, path: string): Question<boolean> {
  return {
    command: askUser(user, '[ -f "$HOME/$1" ] && [ -x "$HOME/$1" ] && echo there || true', [path]),
    parse(answer) {
      if (answer.code !== 0 && !isNoUser(answer)) throw new Error(answer.stderr.trim())
      return answer.stdout.trim() === 'there'
    },
  }
}
