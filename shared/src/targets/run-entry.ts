/** What a target keeps of a run that changed something on it. */
export interface RunEntry {
  /** When it ended: `2026-11-24T15:30:00Z`. */
  readonly at: string
  /** The command and its workspace: `deploy pod (staging)`. */
  readonly what: string
  readonly by: string
  readonly commit: string | undefined
  /** In a few words: `12 changes made`, `error after 3 changes`; `cut off` where the connection was lost. */
  readonly result: string
}

/** A line of it is short and printable whatever a user or a machine is called, so that it may be shown by any program. */
const printable = (text: string): string =>
  text
    .replace(/[^ -~]/g, '?')
    .replaceAll(';', ',')
    .slice(0, 120)

/** The line but for its time and its result, which come when it ends. It holds no secret: names and a commit. */
export const entryOf = ({ what, by, commit }: Pick<RunEntry, 'what' | 'by' | 'commit'>): string =>
  [what, by, commit === undefined ? 'no commit' : `commit ${commit}`].map(printable).join('; ')

/** A whole line. */
export const entryLine = (at: string, entry: string, result: string): string => `${at}; ${entry}; ${printable(result)}`

/** The entries of some lines, in their order; what is none of them is left out. */
export function readEntries(text: string): RunEntry[] {
  return text.split('\n').flatMap((line) => {
    const [, at = '', what = '', by = '', commit, result = ''] =
      line.match(/^(\d{4}-\d\d-\d\dT[\d:]{8}Z); ([^;]+); ([^;]+); (?:commit ([^;]+)|no commit); ([^;]+)$/) ?? []
    return at === '' ? [] : [{ at, what, by, commit, result }]
  })
}
