import { extentOf } from './hcl-value.ts'

/** One `name = value` of a `terraform.tfvars`. `null` and `""` are empty. */
export interface Tfvar {
  readonly name: string
  readonly line: number
  readonly value: string
}

/** What cannot be read, and where: in the file itself, or in one that it would go to. Never holds a value. */
export interface TfvarProblem {
  readonly line?: number
  readonly message: string
}

/** A value of several parts, which was passed over: `a list or a map`, `a heredoc`. */
export interface TfvarCompound {
  readonly name: string
  readonly line: number
  readonly kind: string
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

/**
 * Reads the part of Terraform's language that variables of one value need: names, strings, numbers, booleans, null and
 * comments. Lists, maps and heredocs are passed over; what cannot be read and expressions are problems, each with its line.
 */
export function parseTfvars(text: string): {
  values: readonly Tfvar[]
  compounds: readonly TfvarCompound[]
  problems: readonly TfvarProblem[]
} {
  const values: Tfvar[] = []
  const compounds: TfvarCompound[] = []
  const problems: TfvarProblem[] = []
  const seen = new Map<string, number>()
  // Comments of several lines go first, their line ends stay, so that lines keep their numbers.
  const lines = withoutBlocks(text.replace(/^\uFEFF/, '')).split(/\r?\n/)
  for (let index = 0; index < lines.length; index += 1) {
    const [row = '', line] = [lines[index], index + 1]
    const words = row.trim()
    if (words === '' || words.startsWith('#') || words.startsWith('//')) continue
    const match = /^([A-Za-z_][\w-]*)\s*=\s*(.*)$/.exec(words)
    const [, name = '', rest = ''] = match ?? []
    const read = match ? readValue(rest) : { wrong: 'is not name = value' }
    if ('wrong' in read) {
      problems.push({ line, message: name ? `${name} ${read.wrong}` : read.wrong })
      continue
    }
    if ('kind' in read) {
      const extent = extentOf([rest, ...lines.slice(index + 1)].join('\n'))
      if ('lacks' in extent) {
        problems.push({ line, message: `${name} has no ${extent.lacks}` })
        // What follows belongs to it, and would be misunderstood.
        break
      }
      compounds.push({ name, line, kind: read.kind })
      index += extent.lines
      continue
    }
    const before = seen.get(name)
    if (before !== undefined) problems.push({ line, message: `${name} is already set in line ${before}` })
    seen.set(name, line)
    values.push({ name, line, value: read.value })
  }
  return { values, compounds, problems }
}

type Read = { readonly value: string } | { readonly wrong: string } | { readonly kind: string }

function readValue(text: string): Read {
  if (text.startsWith('"')) return readString(text)
  if (text.startsWith('<<')) return { kind: 'a heredoc' }
  if (/^[[{]/.test(text)) return { kind: 'a list or a map' }
  const word = text.replace(/\s*(#|\/\/).*$/, '').trim()
  if (/^(true|false)$/.test(word) || /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(word)) return { value: word }
  if (word === 'null') return { value: '' }
  return { wrong: word === '' ? 'has no value' : 'is neither a string in double quotes nor a number, true or false' }
}

function readString(text: string): Read {
  let value = ''
  for (let at = 1; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '"') {
      const rest = text.slice(at + 1).trim()
      return rest === '' || /^(#|\/\/)/.test(rest) ? { value } : { wrong: 'has something behind its closing quote' }
    }
    if (char === '\\') {
      at += 1
      const code = /^(u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8})/.exec(text.slice(at))?.[0]
      const point = code === undefined ? -1 : Number.parseInt(code.slice(1), 16)
      const escaped = code && point <= 0x10ffff ? String.fromCodePoint(point) : escapes[text.charAt(at)]
      if (escaped === undefined) return { wrong: 'has a backslash that means nothing' }
      at += code ? code.length - 1 : 0
      value += escaped
    } else if (/^([$%])\1\{/.test(text.slice(at))) {
      value += `${char}{`
      at += 2
    } else if (/^[$%]\{/.test(text.slice(at))) {
      return { wrong: 'holds an expression (dollar or percent and a brace), which is not evaluated here' }
    } else value += char
  }
  return { wrong: 'has no closing quote' }
}

const parts =
  /"(?:\\.|[^"\\\n])*"|<<-?([A-Za-z_][\w-]*)[ \t]*\r?\n(?:[^\n]*\n)*?[ \t]*\1(?=[ \t]*\r?(?:\n|$))|(?:#|\/\/)[^\n]*|\/\*[\s\S]*?\*\//g

/** The text without comments between slash-star and star-slash, outside of strings, heredocs and other comments. */
function withoutBlocks(text: string): string {
  return text.replace(parts, (part) => (part.startsWith('/*') ? part.replace(/[^\n]/g, ' ') : part))
}
