import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** Whether a program can be started on a machine; true on a blank one, which is planned as if it had all it needs. */
export function programThere(name: string): Question<boolean> {
  return {
    command: sh`command -v ${name} >/dev/null && echo there || true`,
    parse: ({ code, stdout }) => code === 127 || stdout.trim() === 'there',
  }
}
