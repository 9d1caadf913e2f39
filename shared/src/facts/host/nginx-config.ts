import { posix } from 'node:path'

/** A directive of nginx, as nginx reads it. */
export interface Directive {
  /** Its name. */
  readonly name: string
  readonly args: readonly string[]
  /** What is in its braces; undefined where it ends in a semicolon. */
  readonly block: readonly Directive[] | undefined
  /** Where its name and its last character stand in the text. */
  readonly start: number
  readonly end: number
}

interface Token {
  readonly kind: 'word' | ';' | '{' | '}'
  readonly text: string
  readonly start: number
  readonly end: number
}

const blank = /[ \t\r\n]/
const escapes: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n', '"': '"', "'": "'", '\\': '\\' }

/** What a backslash and the character behind it mean: the two themselves, where nginx knows no such escape. */
const unescaped = (word: string) =>
  word.replace(/\\(.)/gs, (both: string, char: string) =>
    Object.hasOwn(escapes, char) ? (escapes[char] ?? both) : both,
  )

function fail(text: string, at: number, what: string): never {
  throw new Error(`${what} in line ${text.slice(0, at).split('\n').length}`)
}

/** The next token from `at` on, by the rules of nginx's own reader (ngx_conf_read_token); undefined at the end. */
function nextToken(text: string, from: number): Token | undefined {
  let at = from
  for (;;) {
    while (at < text.length && blank.test(text.charAt(at))) at += 1
    if (text[at] !== '#') break
    while (at < text.length && text[at] !== '\n') at += 1
  }
  const first = text[at]
  if (first === undefined) return undefined
  if (first === ';' || first === '{' || first === '}') return { kind: first, text: first, start: at, end: at + 1 }
  return first === '"' || first === "'" ? quotedWord(text, at) : plainWord(text, at)
}

function quotedWord(text: string, start: number): Token {
  const quote = text[start]
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  const next = text[at + 1]
  if (at >= text.length) fail(text, start, 'a quote that does not end')
  // A parenthesis ends it too: if ($x = "a").
  if (next !== undefined && !/[ \t\r\n;{)]/.test(next)) fail(text, at, 'a word right behind a quote')
  return { kind: 'word', text: unescaped(text.slice(start + 1, at)), start, end: at + 1 }
}

function plainWord(text: string, start: number): Token {
  let at = start
  for (; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\\') at += 1
    // The braces of a variable are of the word: ${name}.
    else if (char === '{' && text[at - 1] === '$' && at > start) continue
    else if (blank.test(char) || char === ';' || char === '{') break
  }
  if (at >= text.length) fail(text, start, 'a directive that does not end')
  return { kind: 'word', text: unescaped(text.slice(start, at)), start, end: at }
}

/** Where the block of another language ends that begins behind `{` at `from`: nginx's Lua counts braces alone. */
function foreignEnd(text: string, from: number): number {
  for (let at = from, depth = 1; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    if (text[at] === '}') depth -= 1
    if (depth === 0) return at + 1
  }
  return fail(text, from, 'a block that does not end')
}

/** What a text of nginx says. Throws where nginx would not take it; the error tells the line and none of its words. */
export function parseNginx(text: string): readonly Directive[] {
  const { list } = readBlock(text, text.startsWith('\uFEFF') ? 1 : 0, 0)
  return list
}

interface Block {
  readonly list: readonly Directive[]
  readonly end: number
}

/** The directives from `from` on, to the end of their block or of the text. */
function readBlock(text: string, from: number, depth: number): Block {
  const list: Directive[] = []
  if (depth > 100) fail(text, from, 'blocks too deep')
  for (let at = from; ; ) {
    const { words, mark } = readWords(text, at)
    const [name] = words
    if (mark === undefined || mark.kind === '}') {
      if (name) fail(text, name.start, 'a directive that does not end')
      if ((mark === undefined) !== (depth === 0))
        fail(text, mark?.start ?? from, mark ? 'an unexpected }' : 'a block that does not end')
      return { list, end: mark?.end ?? text.length }
    }
    if (!name) fail(text, mark.start, `an unexpected ${mark.kind}`)
    const inner = mark.kind === '{' ? readInner(text, mark.end, { name: name.text, depth }) : undefined
    at = inner?.end ?? mark.end
    list.push({
      name: name.text,
      args: words.slice(1).map((word) => word.text),
      block: inner?.list,
      start: name.start,
      end: at,
    })
  }
}

const readInner = (text: string, from: number, { name, depth }: { name: string; depth: number }): Block =>
  /_by_lua_block$/.test(name) ? { list: [], end: foreignEnd(text, from) } : readBlock(text, from, depth + 1)

/** The words from `from` on, and the mark that ends them; none at the end of the text. */
function readWords(text: string, from: number): { words: readonly Token[]; mark: Token | undefined } {
  const words: Token[] = []
  let mark = nextToken(text, from)
  for (; mark?.kind === 'word'; mark = nextToken(text, mark.end)) words.push(mark)
  return { words, mark }
}

const marker = /^# configuration file (.*):\n/

/**
 * The files of what `nginx -T` prints, in its order. `sizes`: bytes of each; a file may hold a line that looks like the
 * head of another. Throws where the two do not fit together.
 */
export function filesOfDump(dump: Buffer, sizes: ReadonlyMap<string, number>): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  let at = 0
  while (at < dump.length) {
    const [head, path = ''] = dump.toString('utf8', at, Math.min(dump.length, at + 5000)).match(marker) ?? []
    const size = sizes.get(path)
    if (head === undefined || size === undefined) throw new Error('what nginx -T prints is not understood')
    const start = at + Buffer.byteLength(head)
    const end = start + size
    if (end >= dump.length || dump[end] !== 10) throw new Error(`${path} was changed while it was read`)
    files.set(path, dump.toString('utf8', start, end))
    at = end + 1
  }
  return files
}

/** A server that nginx has. */
export interface NginxServer {
  /** The file that it stands in: of nested ones the outermost that nginx takes by a pattern, which may be put aside … */
  readonly path: string
  /** … unless no pattern takes it: then nginx would miss it. */
  readonly fixed: boolean
  readonly names: readonly string[]
  readonly listens: readonly (readonly string[])[]
  /** What it says besides: `location /x`, of other directives the name. */
  readonly says: readonly string[]
}

export interface NginxTree {
  readonly servers: readonly NginxServer[]
  /** The files that nginx takes by a pattern, in its order. */
  readonly taken: readonly string[]
  /** The directives of its http block, each with the file (as {@link NginxServer.path}) that it stands in. */
  readonly http: readonly { readonly name: string; readonly path: string }[]
}

interface Placed extends Omit<Directive, 'block'> {
  readonly block: readonly Placed[] | undefined
  readonly path: string
  readonly fixed: boolean
}

/** What these files come to, the first of which includes the others. Throws where one of them is no text of nginx. */
export function nginxTree(files: ReadonlyMap<string, string>): NginxTree {
  const [main = ''] = files.keys()
  const taken: string[] = []
  const parsed = (path: string): readonly Directive[] => {
    try {
      return parseNginx(files.get(path) ?? '')
    } catch (error) {
      throw new Error(`${path} is not understood: ${(error as Error).message}`)
    }
  }
  const place = (list: readonly Directive[], path: string, fixed: boolean, depth: number): Placed[] => {
    if (depth > 50) throw new Error(`${path} includes itself`)
    return list.flatMap((directive): Placed[] => {
      if (directive.name !== 'include')
        return [{ ...directive, path, fixed, block: directive.block && place(directive.block, path, fixed, depth) }]
      const pattern = posix.resolve(posix.dirname(main), directive.args[0] ?? '')
      const isPattern = /[*?[]/.test(pattern)
      return matching(pattern, [...files.keys()]).flatMap((other) => {
        // A file within a site is of that site.
        const owner = isPattern && fixed ? { path: other, fixed: false } : { path: fixed ? other : path, fixed }
        if (isPattern && fixed) taken.push(other)
        return place(parsed(other), owner.path, owner.fixed, depth + 1)
      })
    })
  }
  const http = place(parsed(main), main, true, 0)
    .filter(({ name }) => name === 'http')
    .flatMap(({ block }) => block ?? [])
  const servers = http
    .filter(({ name, block }) => name === 'server' && block)
    .map(({ path, fixed, block = [] }) => {
      const of = (word: string) => block.filter(({ name }) => name === word).map(({ args }) => args)
      return { path, fixed, names: of('server_name').flat(), listens: of('listen'), says: saidIn(block) }
    })
  return { servers, taken: [...new Set(taken)], http: http.map(({ name, path }) => ({ name, path })) }
}

/** What a server says besides its names and ports; a location the same however its path is marked and escaped. */
function saidIn(block: readonly Pick<Directive, 'name' | 'args'>[]): string[] {
  const path = (args: readonly string[]) => args.at(-1)?.replaceAll('\\/', '/') ?? ''
  const said = block
    .filter(({ name }) => name !== 'listen' && name !== 'server_name')
    .map(({ name, args }) => (name === 'location' ? `location ${path(args)}` : name))
  return [...new Set(said)]
}

/** What the servers of a text say, besides their names and ports. Throws where nginx would not take it. */
export const saidByServers = (text: string): readonly string[] =>
  parseNginx(text)
    .filter(({ name }) => name === 'server')
    .flatMap(({ block }) => saidIn(block ?? []))

/** Of these paths those that a pattern of include means, as glob(7) has it. */
export function matching(pattern: string, paths: readonly string[]): string[] {
  if (!/[*?[]/.test(pattern)) return paths.filter((path) => path === pattern)
  const parts = pattern.split('/').map((part) => {
    const source = part.replace(
      /\[(!?)(\]?[^\]]*)\]|[*?.+^${}()|[\]\\]/g,
      (char: string, not?: string, inner?: string) => {
        if (inner !== undefined) return `[${not ? '^' : ''}${inner.replace(/[\\\]^]/g, '\\$&')}]`
        if (char === '*') return '[^/]*'
        return char === '?' ? '[^/]' : `\\${char}`
      },
    )
    // A dot at the beginning of a name is meant by a dot only.
    return part.startsWith('.') ? source : `(?!\\.)${source}`
  })
  const expression = new RegExp(`^${parts.join('/')}$`)
  return paths.filter((path) => expression.test(path)).sort()
}
