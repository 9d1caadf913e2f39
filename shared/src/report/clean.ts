import { randomBytes } from 'node:crypto'
import { isText, showText } from '../command/command.ts'
import { isSecret, redact } from '../command/secret.ts'

// Whole colour sequences first. Then what is left of the controls (C0 but tabs and line ends, DEL, C1), what turns or
// hides the text around it (bidi controls, line separators, tags), and halves of characters.
const drawing =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

/**
 * A text as it may be shown: a blank in the place of all that would draw on a terminal or turn what is around it, and
 * nothing that a runner of GitHub obeys.
 */
export function printable(text: string): string {
  return text.replace(drawing, ' ').replace(runnerCommand, '$1: ').replaceAll('##[', '# #[')
}

// A line that GitHub's runner would take for a command to it, wherever the tool prints it (`::add-mask::`, `##[group]`).
const runnerCommand = /^([^\S\n]*):(?=:[a-z][\w-]*[^\n]*::)/gim

/** A text as it may leave this program: printable, without secrets. Whoever cuts a text cleans it before. */
export function clean(text: string): string {
  return printable(redact(text))
}

/** A text on one line: a line end in it could pass for a finding of the tool. */
export const oneLine = (text: string): string => clean(text).replace(/\s*\n\s*/g, ' ')

// Nobody outside can guess it, so no text from outside can pass for one of the tool's own.
const key = randomBytes(8).toString('hex')
const owned: string[] = []
const placeholder = new RegExp(`\ue000${key}:(\\d+)\ue001`, 'g')

/** A colour, a redrawn line, a command for GitHub's runner: what only the tool itself may write, for an outlet to put in. */
export function own(sequence: string): string {
  const known = owned.indexOf(sequence)
  return `\ue000${key}:${known < 0 ? owned.push(sequence) - 1 : known}\ue001`
}

/** What will be seen of a text: without what is the tool's own, which takes no columns. */
export const visible = (text: string): string => text.replace(placeholder, '')

/** The text as it is written: cleaned, then with what is the tool's own. */
export function finished(text: string): string {
  return clean(text).replace(placeholder, (_, index) => owned[Number(index)] ?? '')
}

/** The same for what becomes JSON, whose escapes would bring controls back: every string in it, keys included. */
export function finishedJson(value: unknown, indent?: number): string {
  return finished(JSON.stringify(value, (_key, part) => cleanPart(part), indent))
}

function cleanPart(part: unknown): unknown {
  if (isText(part)) return clean(showText(part))
  if (typeof part === 'string') return clean(part)
  if (typeof part !== 'object' || part === null || Array.isArray(part) || isSecret(part)) return part
  const entries = Object.entries(part)
  return entries.every(([name]) => clean(name) === name)
    ? part
    : Object.fromEntries(entries.map(([name, inner]) => [clean(name), inner]))
}
