import { askWithRightsOf } from '../../command/as-user.ts'
import { showText, type Text } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

// Names alone: what they are set to may be secret, and stays on the host.
const pattern =
  's/^[[:space:]]*\\(\\(export\\|declare -x\\|typeset -x\\|readonly\\)[[:space:]]\\{1,\\}\\)\\{0,1\\}\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\3/p'

/** The names in a file of variables that may hold secrets; none where there is no file. A folder of another account is read with its rights. */
export function variableNames(path: string, reader = 'root'): Question<readonly string[]> {
  return {
    command: askWithRightsOf(reader, sh`[ ! -f ${path} ] || [ -L ${path} ] || sed -n ${pattern} <${path}`),
    parse({ code, stdout, stderr }) {
      // What its reader may not read is told by the file's own question.
      if (code !== 0 && !/Permission denied|does not exist/.test(stderr) && code !== 127)
        throw new Error(stderr.trim() || `exit code ${code}`)
      return [...new Set(stdout.split('\n').filter(Boolean))]
    },
  }
}

const inText = /^\s*(?:(?:export|declare -x|typeset -x|readonly)\s+)?([A-Za-z_]\w*)=/gm

/** The same of what shall be written. */
export const variableNamesIn = (content: Text): readonly string[] =>
  [...showText(content).matchAll(inText)].map(([, name = '']) => name)
