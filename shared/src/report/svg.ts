import { clean } from './clean.ts'
import type { Graph } from './mermaid.ts'

const [rowHeight, headHeight, gap, laneWidth, letterWidth] = [22, 44, 14, 11, 7.3]
const hues = ['#2563eb', '#c2410c', '#15803d', '#9333ea', '#be123c', '#0e7490', '#a16207', '#4d7c0f', '#475569']

interface Row {
  readonly id: string
  readonly y: number
}

/** What one step is needed for: a line along its lane, from it down to the last step that depends on it. */
interface Lane {
  readonly from: Row
  readonly to: readonly Row[]
  readonly column: number
}

/**
 * A graph as a picture, as wide as its longest line: a line of text for each step, in order. What a step is needed for
 * hangs on a lane to the left of it, so that no two lines cross a text or share their place.
 */
export function svgOf({ name, scripts }: Graph): string {
  let y = gap
  const boxes = scripts.map((script) => {
    const top = y
    const rows = script.steps.map(({ id }, index) => ({ id, y: top + headHeight + rowHeight * (index + 0.5) }))
    y = top + headHeight + rowHeight * rows.length + gap / 2 + gap
    return { ...script, top, rows, height: y - gap - top }
  })
  const lanes = lanesOf(
    boxes.flatMap(({ rows }) => rows),
    scripts.flatMap(({ steps }) => steps),
  )
  const left = gap * 2 + laneWidth * (Math.max(0, ...lanes.map(({ column }) => column + 1)) + 1)
  const texts = boxes.flatMap(({ name, about, steps }) => [`${name}  ${about}`, ...steps.map(({ id }) => id)])
  const width = Math.ceil(left + letterWidth * Math.max(...texts.map(({ length }) => length)) + gap * 3)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">`,
    `<title>${escaped(name)}: the declared steps and what they depend on</title>`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    ...boxes.map(
      ({ name, about, top, height }) =>
        `<rect x="${gap}" y="${top}" width="${width - 2 * gap}" height="${height}" rx="6" fill="#f8fafc" stroke="#cbd5e1"/>` +
        `<text x="${left + 10}" y="${top + 24}" fill="#0f172a"><tspan font-weight="bold">${escaped(name)}</tspan><tspan fill="#64748b" dx="10">${escaped(about)}</tspan></text>`,
    ),
    ...lanes.map((lane) => lineOf(lane, left)),
    ...boxes
      .flatMap(({ rows }) => rows)
      .map(
        ({ id, y }) =>
          `<circle cx="${left}" cy="${y}" r="3" fill="#334155"/><text x="${left + 10}" y="${y + 4}" fill="#0f172a">${escaped(id)}</text>`,
      ),
    '</svg>',
  ].join('\n')
}

/** A lane for each step that others depend on; in one column those that do not overlap, the shortest nearest to the text. */
function lanesOf(rows: readonly Row[], steps: Graph['scripts'][number]['steps']): Lane[] {
  const needed = rows.flatMap((from) => {
    const to = rows.filter((_, index) => steps[index]?.dependsOn.includes(from.id))
    return to.length === 0 ? [] : [{ from, to, end: to.at(-1)?.y ?? 0 }]
  })
  const columns: { from: Row; end: number }[][] = []
  return needed
    .toSorted((one, other) => one.end - one.from.y - (other.end - other.from.y))
    .map((lane) => {
      const overlaps = (other: { from: Row; end: number }) => lane.from.y <= other.end && other.from.y <= lane.end
      const free = columns.findIndex((column) => !column.some(overlaps))
      const column = free < 0 ? columns.push([]) - 1 : free
      columns[column]?.push(lane)
      return { from: lane.from, to: lane.to, column }
    })
}

function lineOf({ from, to, column }: Lane, left: number): string {
  const x = left - laneWidth * (column + 1.2)
  const hue = hues[column % hues.length]
  const ends = to.map(({ y }) => `M${x} ${y - 10}q0 8 8 8H${left - 4}`).join('')
  const heads = to.map(({ y }) => `<path d="M${left - 3} ${y - 2}l-7 -3.5v7z" fill="${hue}"/>`).join('')
  const path = `M${left} ${from.y + 3}H${x + 6}q-6 0 -6 6V${(to.at(-1)?.y ?? 0) - 10}${ends}`
  return `<path d="${path}" fill="none" stroke="${hue}" stroke-width="1.4"/>${heads}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => clean(text).replace(/[&<>"]/g, (letter) => entities[letter] ?? letter)
