import type { WorkspaceCommand } from './workspace.ts'

/** `history`, a row for the command table of each workspace. */
export const history: WorkspaceCommand = {
  about: 'who deployed it, when, from which commit: what the host or the cluster itself has kept',
  stdoutIsResult: true,
  run: async (session) => (await import('./target-history.ts')).runTargetHistory(session),
}
