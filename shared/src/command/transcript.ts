import { type Command, holdsSecret, showText, type Text } from './command.ts'
import { isSecret, variablesOf } from './secret.ts'
import { quote } from './sh.ts'

/** Of a longer stdin only its size is told: it is a file's content, which the diff shows. */
const mostLines = 3

/**
 * A command as a reader may type it: its line, and what it reads on stdin. A stdin with a secret, or a long one, cannot be
 * pasted: then a comment says so and names the variables whose values are in it.
 */
export function transcript({ stdin }: Command, typed: string): string {
  if (stdin === undefined) return typed
  if (holdsSecret(stdin)) return `${typed}  # not pasteable: reads ${secretsIn(stdin)} on stdin`
  const content = showText(stdin)
  const lines = content.trimEnd().split('\n').length
  if (lines > mostLines || content.length > 400) return `${typed}  # not pasteable: reads ${lines} lines on stdin`
  // All of a longer line shall read it, not its first command.
  const whole = /[;&|\n]/.test(typed) ? `{ ${typed}\n}` : typed
  return `printf %s ${quote(content)} | ${whole}`
}

function secretsIn({ parts }: Text): string {
  const names = [...new Set(parts.filter(isSecret).flatMap(variablesOf))]
  return names.length > 0 ? names.join(', ') : 'a secret that this run makes'
}
