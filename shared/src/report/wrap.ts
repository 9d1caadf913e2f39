import { clean, visible } from './clean.ts'

/** Columns of a help that goes to no terminal. */
const defaultColumns = 80

// From the program on it is to be pasted, and a line end would cut it in two. The terminal itself wraps such a line.
const command =
  /(?:^|[\s:(`"'])(?:npm|npx|sudo|ssh|ssh-keygen|ssh-keyscan|kubectl|doctl|aws|terraform|git|apt-get|openssl|curl|chmod|rm|mv|printf|age-keygen) [\w"'.$-]/

/**
 * A text for people in lines of `columns` at most, broken at blanks; a word that is longer stays whole, and so does a line
 * with a command to paste. `hang` is how far the caller indents the lines after the first. Without `columns`, where the
 * text goes to no terminal, it stays as it is.
 */
export function wrapText(text: string, columns: number | undefined, hang = 0): string {
  if (columns === undefined || columns < 20 + hang) return text
  // Before it is broken: half a secret would not be known as one.
  const lines = clean(text).split('\n')
  const wrap = (line: string, at: number) =>
    command.test(visible(line)) ? line : wrapLine(line, at === 0 ? columns : columns - hang, columns - hang)
  return lines.map(wrap).join('\n')
}

function wrapLine(line: string, first: number, others: number): string {
  if (visible(line).length <= first) return line
  const [indent = ''] = /^ */.exec(line) ?? []
  const lines: string[] = []
  let current = indent
  for (const part of line.slice(indent.length).match(/ *[^ ]+/g) ?? []) {
    const room = lines.length === 0 ? first : others
    if (current.trim() !== '' && visible(current + part).length > room) {
      lines.push(current)
      current = part.trimStart()
    } else current += part
  }
  return [...lines, current].join('\n')
}

/** A line of a help: what is explained, then the explanation, whose further lines begin below its first. */
export function hangingLine(head: string, text: string, columns: number = defaultColumns): string {
  const room = Math.max(columns - head.length, 30)
  return head + wrapLine(text, room, room).replaceAll('\n', `\n${' '.repeat(head.length)}`)
}
