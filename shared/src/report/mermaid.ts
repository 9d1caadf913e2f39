import { clean } from './clean.ts'

/** What a workspace declares: its scripts in order, and what each step depends on, by id. */
export interface Graph {
  readonly name: string
  readonly scripts: readonly {
    readonly name: string
    readonly about: string
    readonly steps: readonly { readonly id: string; readonly dependsOn: readonly string[] }[]
  }[]
}

/** A graph as Mermaid, which GitHub and many editors show: https://mermaid.js.org/syntax/flowchart.html. */
export function mermaidOf({ scripts }: Graph): string {
  const numbers = new Map(scripts.flatMap(({ steps }) => steps).map(({ id }, index) => [id, `s${index}`]))
  const boxes = scripts.flatMap(({ name, steps }, index) => [
    `  subgraph ${scriptId(index)}["${quoted(name)}"]`,
    ...steps.map(({ id }) => `    ${numbers.get(id)}["${quoted(id)}"]`),
    '  end',
  ])
  const arrows = scripts
    .flatMap(({ steps }) => steps)
    .flatMap(({ id, dependsOn }) => dependsOn.map((from) => `  ${numbers.get(from)} --> ${numbers.get(id)}`))
  const order = scripts.slice(1).map((_, index) => `  ${scriptId(index)} -.-> ${scriptId(index + 1)}`)
  return ['flowchart LR', ...boxes, ...arrows, ...order].join('\n')
}

const scriptId = (index: number): string => `script${index}`

// Entities as Mermaid writes them; a word such as `end` or `graph` in an id is none of the syntax in quotes.
const quoted = (text: string): string => clean(text).replace(/[#"<>&]/g, (letter) => `#${letter.charCodeAt(0)};`)
