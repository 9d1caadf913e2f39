/** A line of a shell's text as it is typed: what continues it belongs to it, comments do not. */
export interface ShellLine {
  readonly text: string
  /** Its commands, between `|`, `&&`, `||` and `;`, in their order. */
  readonly commands: readonly string[]
}

/** The shell blocks of a page, each as its lines. */
export function shellBlocks(page: string): ShellLine[][] {
  const blocks = page.matchAll(/^( *)```(?:bash|sh|shell|console|zsh)\n([\s\S]*?)^\1```/gm)
  return [...blocks].map(([, indent = '', block = '']) =>
    shellLines(block.replaceAll(new RegExp(`^${indent}`, 'gm'), '')),
  )
}

// A token that hides operators inside; an operator; the end of a line; a comment; any other character.
const tokens =
  /\\\n|\\.|'[^']*'|\$\((?:[^()]|\([^()]*\))*\)|"(?:\\.|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*"|&&|\|\||[|;]|\n|(?<![^\s])#[^\n]*|./gs

/** The lines of a shell's text. */
export function shellLines(text: string): ShellLine[] {
  const lines: ShellLine[] = []
  let [line, command, commands]: [string, string, string[]] = ['', '', []]
  const endCommand = () => {
    if (command.trim() !== '') commands.push(command.trim())
    command = ''
  }
  for (const [token] of `${text}\n`.matchAll(tokens)) {
    if (token.startsWith('#')) continue
    const goesOn = /(\||&&)\s*$/.test(line)
    if (token === '\n' && !goesOn) {
      endCommand()
      if (line.trim() !== '') lines.push({ text: line.trim(), commands })
      ;[line, commands] = ['', []]
      continue
    }
    line += token
    if (/^(&&|\|\||[|;])$/.test(token)) endCommand()
    else command += token === '\\\n' ? ' ' : token
  }
  return lines
}

/** The words of a command without the assignments before it: its program first. */
export function wordsOf(command: string): string[] {
  const words = command.match(/(?:\$\([^)]*\)|'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []
  const from = words.findIndex((word) => !/^\w+=/.test(word))
  return from < 0 ? [] : words.slice(from)
}
