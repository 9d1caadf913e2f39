const sound = new WeakSet<TemplateStringsArray>()

/**
 * Throws when a hole of a shell template stands inside quotes: it brings quotes of its own, which would end or lose
 * their meaning there (`"echo ${name}"` would expand what `name` holds). `"$(cat ${path})"` is sound: a command
 * substitution begins anew. Also throws for a number right before `<` or `>`, which the shell takes for a descriptor.
 */
export function assertHoles(strings: TemplateStringsArray): void {
  if (sound.has(strings)) return
  const open: string[] = []
  strings.slice(0, -1).forEach((text, index) => {
    scan(text, open)
    const quote = open.at(-1)
    if (quote === '"' || quote === "'")
      throw new TypeError(`sh: hole ${index + 1} is inside ${quote}…${quote}: a hole is quoted by itself`)
    if (/^[<>]/.test(strings[index + 1] ?? '') && /(^|[\s;&|(])$/.test(text))
      throw new TypeError(`sh: hole ${index + 1} needs a blank before < or >: a number there means a descriptor`)
  })
  sound.add(strings)
}

/** Follows quotes and parentheses through a piece of shell text; `open` is what is not closed yet. */
function scan(text: string, open: string[]): void {
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string
    const inside = open.at(-1)
    if (inside === "'") {
      if (char === "'") open.pop()
    } else if (char === '\\') {
      at += 1
    } else if (char === '"') {
      if (inside === '"') open.pop()
      else open.push('"')
    } else if (char === '(' && (inside !== '"' || text[at - 1] === '$')) {
      open.push('(')
    } else if (inside === '"') {
      // Nothing else has a meaning here.
    } else if (char === "'") {
      open.push("'")
    } else if (char === ')' && inside === '(') {
      open.pop()
    } else if (char === '#' && (at === 0 ? false : /\s/.test(text[at - 1] as string))) {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    }
  }
}
