/** A section of certbot's notes, from its header to the next. */
interface Section {
  /** `renewalparams`, `[webroot_map`; empty for what comes before the first. */
  readonly name: string
  readonly text: string
}

/** What certbot notes of a certificate for its renewal, in ConfigObj's syntax: blanks, quotes and comments as it takes them. */
const sectionsOf = (notes: string): readonly Section[] =>
  notes.split(/^(?=[ \t]*\[)/m).map((text) => {
    const [, more = '', name = ''] = text.match(/^[ \t]*\[(\[?)[ \t]*["']?(.*?)["']?[ \t]*\]/) ?? []
    return { name: name === '' ? '' : more + name, text }
  })

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The words of a value: those of a list, or one. */
function wordsIn(text: string, key: string): readonly string[] | undefined {
  const value = text.match(new RegExp(`^[ \\t]*(["']?)${escaped(key)}\\1[ \\t]*=[ \\t]*(.*)$`, 'm'))?.[2]
  if (value === undefined) return undefined
  const words = value.matchAll(/[ \t]*(?:"([^"]*)"|'([^']*)'|([^"',#\s](?:[^,#]*[^,#\s])?))[ \t]*(,?)/gy)
  return [...words].map(([, double, single, plain]) => double ?? single ?? plain ?? '')
}

/** Of the settings for the renewal one, of a list its last; undefined where it is not noted. */
export function notedSetting(notes: string, key: string): string | undefined {
  const sections = sectionsOf(notes)
  const own = sections.find(({ name }) => name === 'renewalparams') ?? sections[0]
  return wordsIn(own?.text ?? '', key)?.at(-1)
}

/** The folder that a name is proven by. */
export function notedFolder(notes: string, name: string): string | undefined {
  const map = sectionsOf(notes).find((section) => section.name === '[webroot_map')
  // A name that the authority believed without a new proof is not in the map: the last folder is for it (certbot's webroot.py).
  return (map && wordsIn(map.text, name)?.at(-1)) ?? notedSetting(notes, 'webroot_path')
}

/** The same notes with the proof of these names by a folder; all else that they say stays, in its section. */
export function provenBy(notes: string, webroot: string, names: readonly string[]): string {
  const sections = sectionsOf(notes).filter(({ name }) => name !== '[webroot_map')
  const at = sections.findIndex(({ name }) => name === 'renewalparams')
  const [own, rest] = at < 0 ? [sections, []] : [sections.slice(0, at + 1), sections.slice(at + 1)]
  const kept = own
    .map(({ text }) => text)
    .join('')
    .split('\n')
    .filter((line) => !/^[ \t]*(authenticator|installer|webroot_path)[ \t]*=/.test(line))
  const proof = ['authenticator = webroot', `webroot_path = ${webroot},`, '[[webroot_map]]']
  const lines = [kept.join('\n').trimEnd(), ...proof, ...names.map((name) => `${name} = ${webroot}`)]
  return `${lines.join('\n')}\n${rest.map(({ text }) => text).join('')}`
}
