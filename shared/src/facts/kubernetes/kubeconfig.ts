import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** A kubeconfig as it may be told: no credentials of it are read. */
export interface KubeconfigState {
  /** As `ls -l` writes it: `-rw-------`. */
  readonly mode: string
  readonly server: string
  readonly context: string
  /** The id of the DOKS cluster whose credentials doctl renews; undefined where the file holds some of its own. */
  readonly renewed: string | undefined
  /** When the token ends that doctl keeps for now; undefined when it keeps none, or was not asked. */
  readonly until: Date | undefined
}

/** A kubeconfig that doctl wrote. Null when there is none. `tokens`: the folder where doctl keeps its tokens. */
export function kubeconfigState(path: string, tokens?: string): Question<KubeconfigState | null> {
  // As every sed and ls has it: this machine may be a Mac.
  const command = sh`[ ! -f ${path} ] || { ls -ld ${path} | cut -c1-10 | sed 's/^/mode /'; sed -n -e 's/^ *server: */server /p' -e 's/^current-context: */context /p' -e 's/^ *- exec-credential *$/exec yes/p' -e 's/^ *- \\([0-9a-f-]\\{36\\}\\) *$/id \\1/p' ${path}; }`
  // Of the token only when it ends.
  const until = sh`id=$(sed -n 's/^ *- \\([0-9a-f-]\\{36\\}\\) *$/\\1/p' ${path} 2>/dev/null); f=${tokens ?? ''}/$id.json; [ ! -f "$f" ] || sed -n 's/.*"expirationTimestamp":"\\([^"]*\\)".*/until \\1/p' "$f"`
  return {
    command: tokens === undefined ? command : sh`${command}; ${until}`,
    parse({ code, stdout }) {
      if (code === 127 || stdout.trim() === '') return null
      const value = (key: string) => new RegExp(`^${key} (.*)$`, 'm').exec(stdout)?.[1]?.trim()
      return {
        mode: value('mode') ?? '',
        server: value('server') ?? '',
        context: value('context') ?? '',
        until: value('until') === undefined ? undefined : new Date(value('until') ?? ''),
        renewed: value('exec') === undefined ? undefined : value('id'),
      }
    },
  }
}
