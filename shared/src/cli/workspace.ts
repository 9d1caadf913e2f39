import type { Check } from '../engine/check.ts'
import type { Cost } from '../engine/cost.ts'
import type { Script } from '../engine/script.ts'
import type { Target } from '../engine/target.ts'
import type { EnvOf, Schema } from '../env/variable.ts'
import type { CommandSyntax, WorkspaceOptions, WorkspaceSyntax } from './options.ts'
import type { Session } from './session.ts'

/** What a workspace is opened with. */
export interface Opening<S extends Schema> {
  readonly env: EnvOf<S>
  /** Connect to nothing: every target is blank. */
  readonly offline: boolean
  /** The name of `--env NAME`: its files are `.env.<workspace>.NAME`. */
  readonly environment?: string | undefined
  /** Values of the workspace's own options. */
  readonly workspaceOptions?: WorkspaceOptions
  /** Whether the same run plans or deploys a workspace before this one. */
  runsBefore?(workspace: string): boolean
  /** The project's own folder for what is neither secret nor state: known hosts, run logs. */
  readonly folder: string
  /** Warns the user of what a target finds while it works. */
  readonly tell?: (text: string) => void
}

/** What a workspace gives its scripts and checks, with the targets that have to be closed. */
export interface Opened<C> {
  readonly context: C
  readonly targets: readonly Target[]
}

/** A deployable part of the project, as the command line sees it. */
export interface Workspace<S extends Schema = Schema, C = unknown> {
  readonly name: string
  readonly schema: S
  open(opening: Opening<S>): Opened<C>
  readonly scripts: readonly Script<C>[]
  checks(context: C): readonly Check[]
  /** What it costs, told at the end of a plan; undefined where nobody knows. */
  cost?(context: C): Cost | undefined
  /** What to do once it is deployed, in a few lines. */
  next?(context: C): readonly string[]
}

/** A command that one workspace has beside the shared ones: one row of its `commands/index.ts`. */
export interface WorkspaceCommand extends CommandSyntax {
  /** Does it and gives the exit code. It imports what it needs itself: the table must be quick to load, for help. */
  run(session: Session): Promise<number>
}

/** The commands and options that only one workspace has. */
export interface WorkspaceCommands extends WorkspaceSyntax {
  readonly commands?: Readonly<Record<string, WorkspaceCommand>>
}

/** Declares a workspace; its types follow from its schema and its scripts. */
export function workspace<S extends Schema, C>(options: Workspace<S, C>): Workspace {
  return options as unknown as Workspace
}
