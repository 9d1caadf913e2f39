import type { Emit, WorkspaceResult } from '../../engine/events.ts'
import type { Plan, Work } from '../../engine/plan.ts'
import { withResults } from '../../report/outlet.ts'
import type { Call } from '../options.ts'
import type { PlanToSave } from '../plan-file.ts'
import type { TogetherReporters } from '../reporters.ts'
import { runCommand, toldAs } from '../run.ts'
import type { Together } from '../session.ts'
import type { Signals } from '../signals.ts'
import type { Member } from './members.ts'
import { follow, type Outcome } from './outcome.ts'
import { inTurns } from './turns.ts'

/** A command over several workspaces. */
export interface RootRun {
  readonly command: string
  readonly call: Call
  /** The call as one workspace understands it. */
  callOf(member: Member): Call
  readonly members: readonly Member[]
  readonly reporters: TogetherReporters
  readonly signals: Signals
  /** Hears every event, for the signals. */
  readonly watch: Emit
  /** Prints what a command of a workspace gave as its result. */
  print(workspace: string, text: string): void
}

/** What became of the workspaces: a row each, and the plans of those that have one. */
export interface RootResult {
  readonly results: readonly WorkspaceResult[]
  readonly planned: readonly Planned[]
  /** Of the run itself, such as a no to its question. */
  readonly exitCode: number
}

export interface Planned extends PlanToSave {
  readonly member: Member
  readonly work: readonly Work[]
}

interface Side {
  readonly command: string
  callOf(member: Member): Call
  togetherOf(member: Member): Together
  /** What is told to the user, where not all of it is. */
  tells?(member: Member): (event: Parameters<Emit>[0]) => boolean
}

/** Runs a command of each workspace at the same time, and tells of them one after the other. */
export async function sideBySide(run: RootRun, members: readonly Member[], side: Side): Promise<Outcome[]> {
  const turns = inTurns(members.length)
  return Promise.all(
    members.map(async (member, index) => {
      const { name } = member.workspace
      const call = side.callOf(member)
      const live = run.reporters.live(`${name}-${toldAs(side.command, call)}`)
      const { hear, outcome } = follow()
      const isTold = side.tells?.(member) ?? (() => true)
      const emit: Emit = (event) => {
        run.watch(event)
        hear(event)
        live.emit(event)
        if (isTold(event)) turns.tell(index, () => run.reporters.inOrder.emit(event))
      }
      try {
        await withResults(
          (text) => turns.tell(index, () => run.print(name, text)),
          () =>
            runCommand({
              ...member,
              command: side.command,
              call,
              emit,
              signals: run.signals,
              together: side.togetherOf(member),
            }),
        )
      } finally {
        live.close()
        turns.end(index)
      }
      return outcome()
    }),
  )
}

/** Whether one of the run's workspaces is planned or deployed before another. */
export const orderOf =
  ({ members }: Pick<RootRun, 'members'>, { entry }: Member): Together['runsBefore'] =>
  (name) =>
    entry.dependsOn?.includes(name) === true && members.some(({ workspace }) => workspace.name === name)

/** Keeps the plans of a run. */
export function keeper(): { readonly planned: Planned[]; keepOf(member: Member): NonNullable<Together['keep']> } {
  const planned: Planned[] = []
  return {
    planned,
    keepOf: (member) => (plan: Plan, about, work) => void planned.push({ member, plan, about, work }),
  }
}
