import type { WorkspaceCommand } from './workspace.ts'

/** `history`, a row for the command table of each workspace. */
export const history: WorkspaceCommand = {
  about: 'show who deployed it, when and from which commit, as recorded on the host or cluster',
  stdoutIsResult: true,
  run: async (session) => (await import('./target-history.ts')).runTargetHistory(session),
}
