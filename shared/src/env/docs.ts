import { presence, type Schema, type VariableMeta, variablesOf } from './variable.ts'

const copying = [
  '# Copy it and keep it private: cp .env.example .env.pod && chmod 600 .env.pod (.env serves all workspaces).',
  '# Made from pod/env, cluster/env and stoat/env.',
]

/** How an example is written: see {@link renderExample}. */
interface Rendering {
  readonly blank?: boolean
  /** The name of the environment that the file is for, where it has one. */
  readonly environment?: string | undefined
}

/**
 * The text of `.env.example`: every variable of the schemas in their order, under their groups. A shell can source
 * it, and nothing in it is a value that works. With `blank`, placeholders are left out, so that the file is a start
 * for a real one: what nobody filled in is reported as missing.
 */
export function renderExample(schemas: readonly Schema[], { blank = false, environment }: Rendering = {}): string {
  const one = schemas.length === 1 ? schemas[0] : undefined
  const words = environment === undefined ? '' : ` --env ${environment}`
  const judged = `npm run validate -w ${one?.workspace ?? 'pod'}`
  const lines = one ? [`# ${one.title}. Fill in, then: ${judged}${words && ` --${words}`}`] : [...copying]
  lines.push(`# Generate empty secrets with: ${judged} --${words} --generate`)
  lines.push('# Commented lines are optional, and show the default or an example.')
  for (const schema of schemas) {
    if (!one) lines.push('', `# ${'='.repeat(8)} ${schema.title} (.env.${schema.workspace}) ${'='.repeat(8)}`)
    lines.push(...section(schema, blank))
  }
  return `${lines.join('\n')}\n`
}

function section(schema: Schema, blank: boolean): string[] {
  const lines: string[] = []
  const choices = schema.rules.filter((rule) => rule.kind === 'exactly one').map((rule) => rule.of)
  let group: string | undefined
  let before: string | undefined
  for (const { name, type, meta } of variablesOf(schema)) {
    if (meta.group !== group) lines.push('', `# ${meta.group}`)
    else if (choices.some((of) => before && of.includes(before) && of.includes(name))) lines.push('# OR')
    const { optional, fallback } = presence(type)
    const shown = !optional || meta.show === true
    const value = exampleValue(meta, fallback, blank && shown)
    const hint = blank && shown && value === '' && !meta.generate ? `, such as ${meta.example}` : ''
    lines.push(`${shown ? '' : '# '}export ${name}="${value}"  # ${meta.description}${hint}`)
    group = meta.group
    before = name
  }
  return lines
}

function exampleValue(meta: VariableMeta, fallback: string | undefined, blank: boolean): string {
  if (meta.generate || blank) return ''
  return fallback ?? meta.placeholder ?? meta.example
}

/** The table of a schema's variables, as markdown. */
export function renderTable(schema: Schema): string {
  const rows = variablesOf(schema).map(({ name, type, meta }) => {
    const { optional, fallback } = presence(type)
    const choice = schema.rules.find((rule) => rule.kind === 'exactly one' && rule.of.includes(name))
    const needed = choice
      ? `this or ${choice.of
          .filter((other) => other !== name)
          .map(code)
          .join(', ')}`
      : !optional
        ? 'yes'
        : meta.neededFor
          ? `for ${meta.neededFor.filter((purpose) => purpose !== 'validate' && purpose !== 'access').join(', ')}`
          : 'no'
    const unset = meta.unset ?? (meta.generate ? '`--generate` makes it' : fallback !== undefined ? code(fallback) : '')
    const about = [meta.description, ...(meta.aliases ? [`formerly ${meta.aliases.map(code).join(', ')}`] : [])].join(
      '; ',
    )
    return [code(name), needed, unset, about]
  })
  const table = [['Variable', 'Required', 'When it is not set', 'Meaning'], ['---', '---', '---', '---'], ...rows]
  return table.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

const code = (text: string) => `\`${text}\``

/**
 * The text of a page with the tables between `<!-- NAME -->` and `<!-- /NAME -->` made anew, for every name of `tables`
 * whose markers are there. Throws when a marker has no partner.
 */
export function replaceTables(page: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [mark, table]) => replaceBetween(text, mark, table), page)
}

function replaceBetween(text: string, mark: string, content: string): string {
  const [open, close] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const [start, end] = [text.indexOf(open), text.indexOf(close)]
  if (start < 0 && end < 0) return text
  if (start < 0 || end < start) throw new Error(`${start < 0 ? open : close} is missing`)
  return `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`
}
