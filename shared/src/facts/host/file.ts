import { askWithRightsOf, isNoUser } from '../../command/as-user.ts'
import { digestText, type Output, plainText } from '../../command/command.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface FileState {
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** Octal, four digits: `0644`. */
  readonly mode: string
  readonly owner: string
  readonly group: string
  /** Of a regular file. */
  readonly sha256: string | undefined
  /** Of a regular file when it was asked for; undefined when it is larger than can be shown, or no UTF-8. */
  readonly content: string | undefined
}

/** Files up to this many bytes are read whole, for the diff. */
const readable = 65_536

const stat = raw("stat -c '%a|%U|%G|%s|%F'")

/**
 * A file's state with its content. Not for a file that holds secrets: see {@link fileDigest}. Null when there is none. A
 * file in a folder of another account is read with the rights of that account, the `reader`.
 */
export function fileContent(path: string, reader = 'root'): Question<FileState | null> {
  const command = reading(path, reader, sh`sha256sum <${path} && head -c ${readable} <${path}`)
  return { command, parse: (answer) => parseFile(answer, true) }
}

/** A file's or directory's state without its content: the digest alone tells whether it differs. Null when there is none. */
export function fileDigest(path: string, reader = 'root'): Question<FileState | null> {
  return { command: reading(path, reader, sh`sha256sum <${path}`), parse: (answer) => parseFile(answer, false) }
}

/** What its reader may not read is known by its owner and mode only. */
function reading(path: string, reader: string, read: Shell): Shell {
  const isReadable =
    reader === 'root'
      ? sh`[ -f ${path} ] && [ ! -L ${path} ]`
      : sh`[ -f ${path} ] && [ ! -L ${path} ] && [ -r ${path} ]`
  return askWithRightsOf(reader, sh`${stat} -- ${path} && if ${isReadable}; then ${read}; fi`)
}

/** Where a link leads; undefined when there is none, or something else. */
export const linkTarget = (path: string): Question<string | undefined> => ({
  command: sh`[ ! -L ${path} ] || readlink -f ${path}`,
  parse: ({ stdout }) => stdout.trim() || undefined,
})

function parseFile(answer: Output, whole: boolean): FileState | null {
  const { code, stdout, stderr } = answer
  if (isNoUser(answer) || /No such file or directory|Not a directory/.test(stderr)) return null
  if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`)
  const [head = '', digest = '', ...rest] = stdout.split('\n')
  const content = rest.join('\n')
  const [mode = '', owner = '', group = '', size = '', kind = ''] = head.split('|')
  const state = { type: types[kind] ?? 'other', mode: mode.padStart(4, '0'), owner, group }
  // What a link leads to is not the file that is asked about: it has another owner, mode and size.
  const sha256 = (state.type === 'file' && digest.split(' ')[0]) || undefined
  const isWhole = whole && Number(size) <= readable && sha256 === digestText(plainText(content))
  return { ...state, sha256, content: isWhole ? content : undefined }
}

const types: Readonly<Record<string, FileState['type']>> = {
  'regular file': 'file',
  'regular empty file': 'file',
  directory: 'directory',
  'symbolic link': 'link',
}
