import { sayWorkspace } from './style.ts'

/** A table: a row of headings, then the others. */
export type Rows = readonly (readonly string[])[]

/** Rows under a row of headings, as objects. */
export const records = ([heads = [], ...rows]: Rows) =>
  rows.map((row) => Object.fromEntries(heads.map((head, column) => [head.toLowerCase(), row[column] ?? ''])))

/** Rows as columns of equal width, two blanks between them; an empty cell is a dash. */
export function tableLines(rows: Rows): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => [...(row[column] || '-')].length))
  const widths = (rows[0] ?? []).map((_, column) => width(column))
  return rows.map((row) => {
    const cells = row.map(
      (cell, column) => (cell || '-') + ' '.repeat((widths[column] ?? 0) - [...(cell || '-')].length),
    )
    return cells.join('  ').trimEnd()
  })
}

/** A table under its title, or `none`; or why it could not be made. */
export function sectionText(title: string, rows: Rows, error?: string): string {
  const lines = error === undefined ? (rows.length > 1 ? tableLines(rows) : ['none']) : [error]
  return [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

/** What is looked at: `cluster (environment staging)  kubernetes discord-bot-cluster`. */
export const headingText = (workspace: string, environment: string | undefined, targets: readonly string[]): string =>
  `${sayWorkspace(workspace, environment)}  ${targets.join(', ')}`

/** How long something took or is old, in its largest unit: `12 s`, `5 m`, `3 h`, `9 d`. */
export function age(seconds: number): string {
  const [amount, unit] =
    seconds < 120 ? [1, 's'] : seconds < 7200 ? [60, 'm'] : seconds < 172_800 ? [3600, 'h'] : [86_400, 'd']
  return `${Math.max(0, Math.floor(seconds / (amount as number)))} ${unit}`
}

/** An amount of bytes, as `312 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}
