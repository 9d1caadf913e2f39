/** A statement of an SQL script: its text from its first word on, and what stands before that (blanks, comments). */
export interface Statement {
  readonly before: string
  readonly text: string
}

// What must be passed over as a whole: comments, strings, names, dollar-quoted bodies. (PostgreSQL nests block comments;
// nobody writes them so in a schema, and one that does leaves a statement that the server refuses.)
const whole =
  /--[^\n]*|\/\*[\s\S]*?\*\/|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1|;|[A-Za-z_]\w*|[\s\S]/g

/** Splits an SQL script at its semicolons, so that joined by them it is the script again. */
export function statements(script: string): Statement[] {
  const found: Statement[] = []
  let before = ''
  let text = ''
  for (const [piece] of script.matchAll(whole)) {
    if (piece === ';') {
      found.push({ before, text })
      before = ''
      text = ''
    } else if (text === '' && (/^\s$/.test(piece) || piece.startsWith('--') || piece.startsWith('/*'))) before += piece
    else text += piece
  }
  return [...found, { before, text }]
}
