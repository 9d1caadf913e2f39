import type { WorkspaceCommand } from './workspace.ts'

/** `graph`, a row for the command table of each workspace. */
export const graph: WorkspaceCommand = {
  about: 'the declared steps and what they depend on, as Mermaid or SVG; connects to nothing',
  stdoutIsResult: true,
  options: { svg: { type: 'boolean', help: 'as an SVG picture: … > graph.svg' } },
  run: async (session) => (await import('./graph.ts')).runGraph(session),
}
