/** How a shell would read the right side of an assignment: the value, or why it is not a plain one. */
export type ShellWord =
  | { readonly value: string }
  | { readonly trouble: 'substitution' | 'variable' | 'several words' | 'operator' | 'open quote' }

/**
 * Reads the text after `NAME=` as a POSIX shell would (XCU section 2): quotes, backslashes, `~` at the start, `$HOME`.
 * It only compares: what `source FILE` gives must be what we read.
 */
export function shellWord(text: string, home: string): ShellWord {
  let value = ''
  let at = 0
  if (/^~(?=[/\s]|$)/.test(text)) {
    value = home
    at = 1
  }
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return { trouble: 'open quote' }
      value += text.slice(at + 1, end)
      at = end + 1
    } else if (char === '"') {
      const quoted = doubleQuoted(text, at + 1, home)
      if ('trouble' in quoted) return quoted
      value += quoted.value
      at = quoted.end
    } else if (char === '\\') {
      if (text.charAt(at + 1) !== '\n') value += text.charAt(at + 1)
      at += 2
    } else if (/[ \t\r\n]/.test(char)) {
      return /^[ \t\r\n]*(#.*)?$/.test(text.slice(at)) ? { value } : { trouble: 'several words' }
    } else if (/[;&|<>()]/.test(char)) {
      return { trouble: 'operator' }
    } else {
      const plain = dollar(text, at, home, false)
      if ('trouble' in plain) return plain
      value += plain.value
      at = plain.end
    }
  }
  return { value }
}

type Piece =
  | { readonly value: string; readonly end: number }
  | { readonly trouble: 'substitution' | 'variable' | 'open quote' }

function doubleQuoted(text: string, start: number, home: string): Piece {
  let value = ''
  let at = start
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '"') return { value, end: at + 1 }
    if (char === '\\') {
      const next = text.charAt(at + 1)
      value += next === '\n' ? '' : '$`"\\'.includes(next) ? next : `\\${next}`
      at += 2
      continue
    }
    const piece = dollar(text, at, home, true)
    if ('trouble' in piece) return piece
    value += piece.value
    at = piece.end
  }
  return { trouble: 'open quote' }
}

/** One character, or what begins with `$` or a backquote at that place. */
function dollar(text: string, at: number, home: string, quoted: boolean): Piece {
  const rest = text.slice(at)
  if (rest.startsWith('`') || rest.startsWith('$(')) return { trouble: 'substitution' }
  const known = /^\$(HOME(?!\w)|\{HOME\})/.exec(rest)
  if (known) return { value: home, end: at + known[0].length }
  // $'…' and $"…" are bash's own, and only outside of quotes.
  if (/^\$[\w{@*#?$!-]/.test(rest) || (!quoted && /^\$['"]/.test(rest))) return { trouble: 'variable' }
  return { value: rest.charAt(0), end: at + 1 }
}
