import { describe, isText, type Text, text } from './command.ts'
import { derive, isSecret, type Secret } from './secret.ts'

/**
 * Builds YAML: a string or secret becomes a double-quoted scalar (JSON's form, which YAML takes), a number or boolean
 * stands as it is, another text is taken as it is. Rejects everything else.
 */
export function yaml(strings: TemplateStringsArray, ...holes: (string | number | boolean | Secret | Text)[]): Text {
  const parts = holes.map((hole, index): string | Secret | Text => {
    if (isSecret(hole)) return derive((open) => JSON.stringify(open(hole)))
    if (typeof hole === 'string') return JSON.stringify(hole)
    if (typeof hole === 'boolean' || (typeof hole === 'number' && Number.isFinite(hole))) return String(hole)
    if (isText(hole)) return hole
    throw new TypeError(`yaml: hole ${index + 1} is ${describe(hole)}`)
  })
  return text(strings, ...parts)
}
