import { print, printJson } from '../report/print.ts'
import { tableLines } from '../report/table.ts'
import { type RunEntry, readEntries } from '../targets/run-entry.ts'
import { withoutPid } from './history.ts'
import { open, type Session } from './session.ts'

/** `history` of a workspace: who changed what there, by what its targets have kept; the newest last. */
export async function runTargetHistory(session: Session): Promise<number> {
  const { targets } = open(session, 'access')
  const texts = await Promise.all(targets.map(async (target) => (await target.entries?.()) ?? ''))
  // Workspaces share a cluster.
  const mine = texts.flatMap(readEntries).filter(({ what }) => what.split(' ')[1] === session.workspace.name)
  const runs = mine.sort((one, other) => one.at.localeCompare(other.at))
  if (session.options.json) printJson(runs, 2)
  else if (runs.length === 0) print('nothing was deployed there yet')
  else print(tableLines([['when', 'command', 'result', 'commit', 'by'], ...runs.map(rowOf)]).join('\n'))
  return 0
}

const rowOf = ({ at, what, result, commit = '', by }: RunEntry): string[] => [
  at.slice(0, 16).replace('T', ' '),
  ...[what, result, commit, withoutPid(by)],
]
