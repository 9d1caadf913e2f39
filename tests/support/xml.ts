export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  text: string
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** A strict reader of the XML that reports need: throws for what is not well-formed. */
export function parseXml(source: string): Element[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(source)) throw new Error('a control character')
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const body = source.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, '')
  const token = /<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y
  while (token.lastIndex < body.length) {
    const at = token.lastIndex
    const found = token.exec(body)
    if (!found) throw new Error(`not well-formed at: ${body.slice(at, at + 60)}`)
    const [, end, name = '', attributes = '', single, text] = found
    const parent = open.at(-1) as Element
    if (text !== undefined) parent.text += decode(text)
    else if (end) {
      if (open.pop()?.name !== name || open.length === 0) throw new Error(`</${name}> closes nothing`)
    } else {
      const list = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)]
      const pairs = list.map(([, key = '', value = '']) => [key, decode(value)] as const)
      const element: Element = { name, attributes: Object.fromEntries(pairs), children: [], text: '' }
      parent.children.push(element)
      if (!single) open.push(element)
    }
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> is not closed`)
  return root.children
}

function decode(text: string): string {
  if (/&(?!(amp|lt|gt|quot|apos);)/.test(text)) throw new Error(`a bare & in: ${text}`)
  return text.replace(/&(\w+);/g, (_all, name: string) => entities[name] ?? '')
}
