import { structuredPatch } from 'diff'
import { changesOf, commandLines, type Plan, type PlannedStep } from '../engine/plan.ts'
import type { Change, Diff, Risk, Verb } from '../engine/step.ts'
import type { Color, Paint } from './style.ts'

export const symbols: Readonly<Record<Verb, string>> = { create: '+', update: '~', remove: '-' }
export const colors: Readonly<Record<Verb, Color>> = { create: 'green', update: 'yellow', remove: 'red' }

const risks: Readonly<Record<Risk, string>> = {
  safe: '',
  restart: 'restart',
  downtime: 'downtime',
  rights: 'fewer rights',
  data: 'data loss',
}

export interface PlanCounts {
  readonly create: number
  readonly update: number
  readonly remove: number
  readonly unknown: number
  readonly refused: number
  readonly unchanged: number
}

/** How many changes of each kind a plan has, and how many steps it leaves alone. */
export function countPlan(plan: Plan): PlanCounts {
  const counts = { create: 0, update: 0, remove: 0, unknown: 0, refused: 0, unchanged: 0 }
  for (const planned of plan.steps) {
    if (planned.unknown !== undefined) counts.unknown += 1
    else if (planned.decision?.kind === 'refused') counts.refused += 1
    else if (planned.decision?.kind === 'converged') counts.unchanged += 1
    for (const { verb } of changesOf(planned)) counts[verb] += 1
  }
  return counts
}

/** `pod: 3 to create, 1 to change, 41 unchanged`. */
export function summarize(workspace: string, plan: Plan): string {
  const counts = countPlan(plan)
  const parts = [
    [counts.create, 'to create'],
    [counts.update, 'to change'],
    [counts.remove, 'to remove'],
    [counts.unknown, 'not known yet'],
    [counts.refused, 'refused'],
    [counts.unchanged, 'unchanged'],
  ] as const
  const said = parts
    .filter(([count, what]) => count > 0 || what === 'unchanged')
    .map(([count, what]) => `${count} ${what}`)
  const todo = said.length > 1 ? said : ['nothing to change', ...said]
  return `${workspace}: ${todo.join(', ')}`
}

export interface PlanTextOptions {
  readonly paint: Paint
  readonly diff: boolean
  /** Unchanged steps as well, with why, and the commands of each change. */
  readonly verbose: boolean
}

/** A plan as lines: what changes, by script; a step that earlier changes may alter is marked `?`. */
export function planLines(plan: Plan, options: PlanTextOptions): string[] {
  const scripts = new Map<string, string[]>()
  for (const planned of plan.steps) {
    const lines = scripts.get(planned.script) ?? []
    scripts.set(planned.script, lines)
    lines.push(...stepLines(planned, options))
  }
  const filled = [...scripts].filter(([, lines]) => lines.length > 0)
  return filled.flatMap(([script, lines]) => ['', options.paint('bold', script), ...lines])
}

function stepLines(planned: PlannedStep, { paint, diff, verbose }: PlanTextOptions): string[] {
  const { decision, step, unknown, pending, denied } = planned
  if (unknown !== undefined) {
    const why = pending.length > 0 && !denied ? `asked again after ${few(pending)}` : unknown
    return [`  ${paint('magenta', '?')}  ${step.id}  ${paint('dim', why)}`]
  }
  if (decision?.kind === 'refused') return [`  ${paint('red', '!')}  ${step.id}: ${decision.reason}`]
  const notes = (decision?.notes ?? []).map((note) => `  ${paint('cyan', 'i')}  ${note}`)
  if (decision?.kind === 'converged') {
    const why = `  ${paint('dim', `=  ${step.id}${decision.because ? `  ${decision.because}` : ''}`)}`
    return verbose ? [why, ...notes] : notes
  }
  return [
    ...changesOf(planned).flatMap((change) => [
      changeLine(change, pending.length > 0, paint),
      ...(verbose ? commandLines(planned, change).flatMap((line) => shownCommand(line, paint)) : []),
      ...(diff && change.diff ? diffLines(change.diff, paint) : []),
    ]),
    ...notes,
  ]
}

/** A command line to paste, below its change. */
export function shownCommand(line: string, paint: Paint): string[] {
  return line.split('\n').map((part, index) => paint('dim', `       ${index === 0 ? '$ ' : '  '}${part}`))
}

const few = (ids: readonly string[]): string => (ids.length > 3 ? `${ids.length} earlier steps` : ids.join(', '))

/** One change in one line: `+? role valence  (restart)`. */
export function changeLine(change: Pick<Change, 'verb' | 'say' | 'risk'>, tentative: boolean, paint: Paint): string {
  const risk = risks[change.risk]
  const mark = paint(colors[change.verb], symbols[change.verb]) + (tentative ? paint('dim', '?') : ' ')
  return `  ${mark} ${change.say}${risk ? paint(change.risk === 'data' ? 'red' : 'yellow', `  (${risk})`) : ''}`
}

/** A unified diff, three lines of context, indented below its change. */
export function diffLines(diff: Diff, paint: Paint): string[] {
  if (diff.kind === 'secret') return [paint('dim', '       content changed (not shown: it holds a secret or is large)')]
  const patch = structuredPatch(diff.path, diff.path, diff.before, diff.after, '', '', { context: 3 })
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    paint('cyan', `       @@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`),
    ...lines.map((line) => {
      const color: Color | undefined = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : undefined
      return `       ${color ? paint(color, line) : line}`
    }),
  ])
}

/** As diff -u writes it: the line before, where there is none. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}
