import { type Directive, parseNginx } from '@infra/shared/facts/host/nginx-config'

/** What the user's own directives (NGINX_EXTRA_CONFIG_FILE) say: where they and ours say something of one thing, theirs wins. */
export interface NginxExtra {
  /** Whether they set this directive of the server: it may stand there once only. */
  sets(name: string): boolean
  /** Their own `add_header` of this header, in its place of ours. */
  header(line: string): string | undefined
  /** Whether they answer for what ours, `= PATH`, `PATH` or `@NAME`, would answer. */
  answers(location: string): boolean
  /** The beginnings of paths of Synapse that a location of theirs without `^~` has: a pattern of ours would win over it. */
  readonly below: readonly string[]
  /** Whether they have a pattern for paths of Synapse: the first pattern in the file wins. */
  readonly isFirst: boolean
}

interface Location {
  readonly modifier: '' | '=' | '^~' | '~' | '~*'
  readonly path: string
}

const synapse = /^\/(_matrix|_synapse\/client)/

/** Reads them. What nginx would not take says nothing here: nginx itself is asked before the site is changed. */
export function nginxExtra(content = ''): NginxExtra {
  const list = directives(content)
  const locations = list.filter(({ name }) => name === 'location').map(locationOf)
  return {
    sets: (name) => list.some((directive) => directive.name === name && directive.block === undefined),
    header(line) {
      const [, header = ''] = line.split(' ')
      const own = list.find(
        ({ name, args }) => name === 'add_header' && args[0]?.toLowerCase() === header.toLowerCase(),
      )
      return own && content.slice(own.start, own.end)
    },
    answers: (location) => locations.some((each) => covers(each, location)),
    below: locations
      .filter(({ modifier, path }) => modifier === '' && synapse.test(path) && /^[\w/.~:@%+-]+$/.test(path))
      .map(({ path }) => path),
    isFirst: locations.some(({ modifier, path }) => modifier.startsWith('~') && /_matrix|_synapse/.test(path)),
  }
}

function directives(content: string): readonly Directive[] {
  try {
    return parseNginx(content)
  } catch {
    return []
  }
}

/** `location = /a`, `location =/a` and `location ~* a` alike. */
function locationOf({ args }: Directive): Location {
  const [first = '', second] = args
  if (second !== undefined) return { modifier: first as Location['modifier'], path: second }
  const [, modifier = '', path = first] = first.match(/^(=|\^~|~\*|~)(.*)$/s) ?? []
  return { modifier: modifier as Location['modifier'], path }
}

const wellKnown = '/.well-known/matrix'

function covers({ modifier, path }: Location, location: string): boolean {
  const exact = location.match(/^= (.*)$/)?.[1]
  if (exact === undefined) return (modifier === '' || modifier === '^~') && path === location
  if (modifier.startsWith('~')) return /well-known.*matrix/.test(path) && fits(path, modifier === '~*', exact)
  if (modifier === '=') return path === exact
  return exact === path || (path.startsWith(wellKnown) && exact.startsWith(path))
}

function fits(pattern: string, ignoresCase: boolean, path: string): boolean {
  try {
    return new RegExp(pattern, ignoresCase ? 'i' : '').test(path)
  } catch {
    return false
  }
}
