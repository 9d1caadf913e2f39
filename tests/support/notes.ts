import { digestText, holdsSecret, plainText, showText, type Text } from '@infra/shared/command/command'
import { sh, withStdin } from '@infra/shared/command/sh'
import {
  type Change,
  changes,
  create,
  type Dependency,
  type Diff,
  type Question,
  remove,
  type Step,
  step,
  update,
} from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'

/** The content of a note (a file in the target's folder); null when there is none. */
export function noteContent(name: string): Question<string | null> {
  return {
    command: sh`[ -e ${name} ] || exit 127; cat ${name}`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      if (code !== 0) throw new Error(stderr.trim())
      return stdout
    },
  }
}

interface NoteOptions extends Partial<Pick<Change, 'risk' | 'undo' | 'explain' | 'guard' | 'batch'>> {
  dependsOn?: readonly Dependency[]
  id?: string
}

/** A note with this content; `null`: there shall be none. The smallest step kind that there can be. */
export function note(on: Target, name: string, desired: string | Text | null, options: NoteOptions = {}): Step {
  const { dependsOn = [], id = `note ${name}`, ...more } = options
  return step({
    id,
    on,
    dependsOn,
    ask: { now: noteContent(name) },
    plan({ now }) {
      if (desired === null) return changes(now === null ? [] : [remove(`note ${name}`, sh`rm ${name}`, more)], 'absent')
      const content = typeof desired === 'string' ? plainText(desired) : desired
      if (now !== null && digestText(plainText(now)) === digestText(content)) return changes([], `${now.length} bytes`)
      const diff: Diff = holdsSecret(content)
        ? { kind: 'secret', path: name }
        : { kind: 'text', path: name, before: now ?? '', after: showText(content) }
      const write = withStdin(sh`cat >${name}`, content)
      return changes([(now === null ? create : update)(`note ${name}`, write, { diff, ...more })], '')
    },
  })
}
