/** An element: its text, or its children by name; one whose children are all `member` is a list. */
export type Xml = string | readonly Xml[] | { readonly [name: string]: Xml }

const token = /<(\/?)([\w:.-]+)(?:\s[^<>]*?)?(\/?)>|([^<]+)/gy
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * Reads the XML that AWS's older services reply with: elements and text. Attributes, comments and the like, of which
 * they make no use, are passed over. Throws for any other text.
 */
export function readXml(text: string): Readonly<Record<string, Xml>> {
  const root: Open = { name: '', text: '', children: [] }
  const open: Open[] = [root]
  const plain = text.replace(/<[?!][^<>]*>/g, '')
  let read = 0
  for (const [whole, closing, name = '', alone, words] of plain.matchAll(token)) {
    read += whole.length
    const last = open.at(-1) as Open
    if (words !== undefined) {
      last.text += words
      continue
    }
    if (!closing) {
      const element: Open = { name, text: '', children: [] }
      last.children.push(element)
      if (!alone) open.push(element)
    } else if (open.pop()?.name !== name) throw new Error(`XML: </${name}> closes nothing`)
  }
  if (read < plain.length) throw new Error('XML: a < begins nothing')
  if (open.length !== 1 || root.children.length === 0) throw new Error('XML: no whole element')
  return fields(root)
}

interface Open {
  readonly name: string
  text: string
  readonly children: Open[]
}

function xmlOf(element: Open): Xml {
  const { children, text } = element
  if (children.length === 0) {
    return text.trim() === '' ? '' : text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (_, word: string) => entity(word))
  }
  return children.every(({ name }) => name === 'member') ? children.map(xmlOf) : fields(element)
}

const fields = ({ children }: Open) => Object.fromEntries(children.map((child) => [child.name, xmlOf(child)]))

function entity(word: string): string {
  if (!word.startsWith('#')) return entities[word] ?? `&${word};`
  return String.fromCodePoint(/^#x/i.test(word) ? Number.parseInt(word.slice(2), 16) : Number(word.slice(1)))
}
