import { type Parsed, parsed } from './parsed.ts'

/** A branch, tag or commit, by the rules of git-check-ref-format(1). */
export function gitRef(): Parsed<string> {
  return parsed((text) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses control characters in a ref.
    const bad = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\/\.|\.lock(\/|$)|^@$/
    return text === '' || bad.test(text) ? { wrong: 'is not a git branch, tag or commit' } : { value: text }
  })
}

/** Which way a repository is reached: by http, by ssh, or neither. */
export function gitTransport(address: string): 'http' | 'ssh' | 'other' {
  if (/^https?:\/\//i.test(address)) return 'http'
  return /^ssh:\/\//i.test(address) || /^[\w.-]+@[\w.-]+:/.test(address) ? 'ssh' : 'other'
}

/** The address of a repository: https, http, ssh, git, file, or `user@host:path`. Credentials inside it are refused. */
export function gitUrl(): Parsed<string> {
  return parsed((text) => {
    const wrong = 'is not the address of a git repository'
    if (/\s/.test(text) || text.startsWith('-')) return { wrong }
    if (/^[\w.-]+@[\w.-]+:[^/].*$/.test(text)) return { value: text }
    const at = URL.canParse(text) ? new URL(text) : undefined
    if (at === undefined || !/^(https?|ssh|git|file):\/\//i.test(text)) return { wrong }
    if (at.password || (at.username && at.protocol !== 'ssh:'))
      return {
        wrong: 'holds a user, a password or a token',
        remedy: 'leave it out of the URL; a token has a variable of its own',
      }
    return at.pathname.length > 1 ? { value: text } : { wrong: `${wrong}: it has no path` }
  })
}
