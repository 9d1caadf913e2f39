/** Where a list, a map or a heredoc ends: how many line ends are in it; or what it lacks. */
export type Extent = { readonly lines: number } | { readonly lacks: string }

const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')' }

/**
 * How far a value of Terraform's language reaches that begins with a bracket or `<<`, so that it can be passed over: strings
 * with templates in them, comments and heredocs hide brackets (HCL native syntax, Expressions).
 */
export function extentOf(text: string): Extent {
  const open: string[] = []
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at)
    const [hidden] = /^(?:#|\/\/)[^\n]*|^\/\*[\s\S]*?\*\//.exec(rest) ?? []
    const heredoc = hidden === undefined ? /^<<-?([A-Za-z_][\w-]*)[ \t]*\r?\n/.exec(rest) : null
    const char = text.charAt(at)
    if (hidden !== undefined) at += hidden.length
    else if (heredoc) {
      const end = heredocEnd(text, at + heredoc[0].length, heredoc[1] ?? '')
      if (end === undefined) return { lacks: `closing ${heredoc[1]}` }
      at = end
    } else if (char === '"') {
      const end = stringEnd(text, at + 1)
      if (end === undefined) return { lacks: 'closing quote' }
      at = end
    } else {
      if (closing[char] !== undefined) open.push(closing[char])
      else if (char === open.at(-1)) open.pop()
      at += 1
    }
    if (open.length === 0) return { lines: text.slice(0, at).split('\n').length - 1 }
  }
  return { lacks: `closing ${open.at(-1) ?? 'word'}` }
}

/** The end of the line that ends a heredoc. */
function heredocEnd(text: string, from: number, word: string): number | undefined {
  const end = new RegExp(`^[ \\t]*${word}[ \\t]*\\r?$`, 'm')
  const match = end.exec(text.slice(from))
  return match ? from + match.index + match[0].length : undefined
}

/** The place after the closing quote of a string, which may hold templates with strings of their own. */
function stringEnd(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\n') return undefined
    if (char === '"') return at + 1
    if (char === '\\' || /^([$%])\1\{/.test(text.slice(at, at + 3))) at += 1
    else if (/^[$%]\{/.test(text.slice(at, at + 2))) {
      const end = templateEnd(text, at + 2)
      if (end === undefined) return undefined
      at = end - 1
    }
  }
  return undefined
}

/** The place after the brace that ends a template. */
function templateEnd(text: string, from: number): number | undefined {
  for (let at = from, open = 1; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '"') {
      const end = stringEnd(text, at + 1)
      if (end === undefined) return undefined
      at = end - 1
    } else if (char === '{') open += 1
    else if (char === '}') open -= 1
    if (open === 0) return at + 1
  }
  return undefined
}
