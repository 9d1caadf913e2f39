import { askWithRightsOf } from '../../command/as-user.ts'
import { showText, type Text } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** How the settings of a file are written: `NAME=value` lines, or YAML with its names at the top. */
export type KeyFormat = 'env' | 'yaml'

// Names alone: what they are set to may be secret, and stays on the host.
const patterns: Readonly<Record<KeyFormat, string>> = {
  env: 's/^[[:space:]]*\\(export[[:space:]]\\{1,\\}\\)\\{0,1\\}\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\2/p',
  yaml: `s/^["']\\{0,1\\}\\([A-Za-z_][A-Za-z0-9_.-]*\\)["']\\{0,1\\}[[:space:]]*:.*/\\1/p`,
}

/** The names of the settings in a file that may hold secrets; none where there is no file. A folder of another account is read with its rights. */
export function keyNames(path: string, format: KeyFormat, reader = 'root'): Question<readonly string[]> {
  return {
    command: askWithRightsOf(reader, sh`[ ! -f ${path} ] || [ -L ${path} ] || sed -n ${patterns[format]} <${path}`),
    parse({ code, stdout, stderr }) {
      // What its reader may not read is told by the file's own question.
      if (code !== 0 && !/Permission denied|does not exist/.test(stderr) && code !== 127)
        throw new Error(stderr.trim() || `exit code ${code}`)
      return [...new Set(stdout.split('\n').filter(Boolean))]
    },
  }
}

const inText: Readonly<Record<KeyFormat, RegExp>> = {
  env: /^\s*(?:export\s+)?([A-Za-z_]\w*)=/gm,
  yaml: /^["']?([A-Za-z_][\w.-]*)["']?\s*:/gm,
}

/** The same of what shall be written. */
export const keyNamesIn = (content: Text, format: KeyFormat): readonly string[] =>
  [...showText(content).matchAll(inText[format])].map(([, name = '']) => name)
