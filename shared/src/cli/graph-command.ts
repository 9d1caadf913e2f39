import type { WorkspaceCommand } from './workspace.ts'

/** `graph`, a row for the command table of each workspace. */
export const graph: WorkspaceCommand = {
  about: 'show the declared steps and their dependencies as Mermaid or SVG, without connecting',
  stdoutIsResult: true,
  options: { svg: { type: 'boolean', help: 'print SVG: … > graph.svg' } },
  run: async (session) => (await import('./graph.ts')).runGraph(session),
}
