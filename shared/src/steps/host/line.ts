import { plainText } from '../../command/command.ts'
import { changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileContent } from '../../facts/host/file.ts'
import { type Ownership, writeFile } from './file.ts'

/** A line somewhere in a file that belongs to somebody else: added at its end where it is missing, the rest is kept. */
export function line(
  on: Target,
  path: string,
  desired: string,
  {
    mode = '0644',
    owner = 'root',
    group = owner,
    dependsOn = [],
  }: Ownership & { dependsOn?: readonly Dependency[] } = {},
): Step {
  return step({
    id: `line in ${path}: ${desired}`,
    on,
    dependsOn,
    ask: { now: fileContent(path, owner) },
    plan({ now }) {
      const content = now?.content ?? ''
      if (now && now.content === undefined) {
        const what = now.type === 'file' ? 'large, or no UTF-8 text, or closed to its user' : `a ${now.type}`
        return refuse(
          `${path} is ${what}: it cannot be added to`,
          `Move it away, and the line goes into a file of its own: mv ${path} ${path}.old`,
        )
      }
      if (content.split('\n').includes(desired)) return changes([], 'there')
      const text = plainText(`${content}${content === '' || content.endsWith('\n') ? '' : '\n'}${desired}\n`)
      const isTheirs = now !== null && (owner === 'root' || owner === now.owner)
      const write = writeFile(path, text, isTheirs ? now : { mode: now?.mode ?? mode, owner, group })
      // The rest is somebody else's, and may hold secrets.
      const diff = { kind: 'text', path, before: '', after: `${desired}\n` } as const
      return changes([(now ? update : create)(path, write, { diff })], '')
    },
  })
}
