/**
 * Whether a path below a build context is left out of it, by the text of its `.dockerignore`: the last pattern that
 * matches the path, or a folder above it, decides; `!` takes back in; `**` is any number of folders; `#` begins a comment
 * (docs.docker.com/build/concepts/context).
 */
export function ignores(text: string): (path: string) => boolean {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const back = line.startsWith('!')
      return { back, matches: expression(clean(back ? line.slice(1).trim() : line)) }
    })
  return (path) => {
    const steps = path.split('/')
    const ways = steps.map((_, index) => steps.slice(0, index + 1).join('/'))
    return rules.reduce(
      (ignored, { back, matches }) => (ways.some((way) => matches.test(way)) ? !back : ignored),
      false,
    )
  }
}

/** Whether a file of a folder that is left out may be taken back in: then it has to be looked into all the same. */
export const takesBack = (text: string): boolean => /^\s*!/m.test(text)

/** As Go's filepath.Clean, below the context: `/a/./b/../c/` is `a/c`. */
function clean(pattern: string): string {
  const parts: string[] = []
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

function expression(pattern: string): RegExp {
  let regex = ''
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] as string
    if (pattern.startsWith('**', at)) {
      // `**/` may be no folder at all.
      const folder = pattern[at + 2] === '/'
      regex += folder ? '(?:.*/)?' : '.*'
      at += folder ? 2 : 1
    } else if (char === '*') regex += '[^/]*'
    else if (char === '?') regex += '[^/]'
    else if (char === '[' && pattern.includes(']', at + 1)) {
      const end = pattern.indexOf(']', at + 1)
      regex += `[${pattern.slice(at + 1, end).replace(/\\/g, '\\\\')}]`
      at = end
    } else {
      if (char === '\\') at += 1
      regex += (char === '\\' ? (pattern[at] ?? '') : char).replace(/[.+^${}()|[\]\\*?]/g, '\\$&')
    }
  }
  return new RegExp(`^${regex}$`)
}
