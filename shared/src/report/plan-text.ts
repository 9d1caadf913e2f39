import { structuredPatch } from 'diff'
import type { Diff, Verb } from '../engine/step.ts'
import { type ChangeView, type PlanView, riskWords, type StepView } from './plan-view.ts'
import type { Color, Paint } from './style.ts'

const symbols: Readonly<Record<Verb, string>> = { create: '+', update: '~', remove: '-' }
const colors: Readonly<Record<Verb, Color>> = { create: 'green', update: 'yellow', remove: 'red' }

/** What is shown of file contents: nothing, what changes of files that are there, or whole new files too. */
export type DiffMode = 'none' | 'changes' | 'all'

export interface PlanTextOptions {
  readonly paint: Paint
  readonly diff: DiffMode
  /** Unchanged steps as well, with why, and the commands of each change where the view has them. */
  readonly verbose: boolean
}

/** A plan as lines: what changes, by script; a step that earlier changes may alter is marked `?`. */
export function planLines({ steps }: PlanView, options: PlanTextOptions): string[] {
  const scripts = new Map<string, string[]>()
  for (const step of steps) {
    const lines = scripts.get(step.script) ?? []
    scripts.set(step.script, lines)
    lines.push(...stepLines(step, options))
  }
  const filled = [...scripts].filter(([, lines]) => lines.length > 0)
  return filled.flatMap(([script, lines]) => ['', options.paint('bold', script), ...lines])
}

function stepLines(view: StepView, { paint, diff, verbose }: PlanTextOptions): string[] {
  const { state, step, because, refused, tentative = [], denied } = view
  if (state === 'unknown') {
    const why = tentative.length > 0 && !denied ? `asked again after ${few(tentative)}` : (because ?? '')
    return [`  ${paint('magenta', '?')}  ${step}  ${paint('dim', why)}`]
  }
  if (state === 'refused') return [`  ${paint('red', '!')}  ${step}: ${refused?.reason}`]
  const notes = (view.notes ?? []).map((note) => `  ${paint('cyan', 'i')}  ${note}`)
  if (state === 'converged') {
    const why = `  ${paint('dim', `=  ${step}${because ? `  ${because}` : ''}`)}`
    return verbose ? [why, ...notes] : notes
  }
  const shown = view.changes.flatMap((change) => [
    changeLine(change, tentative.length > 0, paint) + lineCount(change, diff, paint),
    ...(verbose ? (change.commands ?? []).flatMap((line) => shownCommand(line, paint)) : []),
    ...(change.diff && isShown(change, diff) ? diffLines(change.diff, paint) : []),
  ])
  return [...shown, ...notes]
}

/** A file that is made, or goes: all of it would be shown. */
const isWhole = ({ diff }: Pick<ChangeView, 'diff'>) =>
  diff?.kind === 'text' && (diff.before === '' || diff.after === '')

const isShown = (change: ChangeView, mode: DiffMode) => mode === 'all' || (mode === 'changes' && !isWhole(change))

function lineCount({ diff, say }: ChangeView, mode: DiffMode, paint: Paint): string {
  if (mode !== 'changes' || diff?.kind !== 'text' || !isWhole({ diff })) return ''
  const count = (diff.before || diff.after).replace(/\n$/, '').split('\n').length
  // Where the change speaks of more than the file, the count says of which.
  const file = say.includes(diff.path) ? '' : `${diff.path}: `
  return paint('dim', `  (${file}${count} ${count === 1 ? 'line' : 'lines'})`)
}

/** A command line to paste, below its change. */
export function shownCommand(line: string, paint: Paint): string[] {
  return line.split('\n').map((part, index) => paint('dim', `       ${index === 0 ? '$ ' : '  '}${part}`))
}

const few = (ids: readonly string[]): string => (ids.length > 3 ? `${ids.length} earlier steps` : ids.join(', '))

/** One change in one line: `+? role valence  (restart)`. */
function changeLine(change: Pick<ChangeView, 'verb' | 'say' | 'risk'>, tentative: boolean, paint: Paint): string {
  const risk = riskWords[change.risk]
  const mark = paint(colors[change.verb], symbols[change.verb]) + (tentative ? paint('dim', '?') : ' ')
  return `  ${mark} ${change.say}${risk ? paint(change.risk === 'data' ? 'red' : 'yellow', `  (${risk})`) : ''}`
}

/** A unified diff, indented below its change. */
function diffLines(diff: Diff, paint: Paint): string[] {
  if (diff.kind === 'secret') return [paint('dim', `       ${hiddenDiff}`)]
  return patchLines(diff).map((line) => {
    const color = patchColors[line[0] ?? '']
    return `       ${color ? paint(color, line) : line}`
  })
}

const patchColors: Readonly<Record<string, Color>> = { '+': 'green', '-': 'red', '@': 'cyan' }

/** What stands in the place of a diff that is not shown. */
export const hiddenDiff = 'content not shown: it holds a secret or is large'

/** A unified diff, three lines of context. */
export function patchLines({ path, before, after }: Extract<Diff, { kind: 'text' }>): string[] {
  const { hunks } = structuredPatch(path, path, before, after, '', '', { context: 3 })
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    ...lines,
  ])
}

/** As diff -u writes it: the line before, where there is none. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}
