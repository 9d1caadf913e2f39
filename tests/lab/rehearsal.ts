import type { LabPart } from './prerequisites.ts'

export type WorkspaceName = 'pod' | 'cluster' | 'stoat'

/** What a rehearsal is made with: the command line of one workspace. */
export interface Hands {
  /** The same for another workspace, which has to be there before. */
  of(workspace: WorkspaceName): Hands

  /** Runs the real command line, its output shown as it comes; throws when it fails. */
  tool(command: string, ...options: string[]): Promise<void>
  /** Does some work, and tells at the end how long it took. */
  timed<T>(what: string, work: () => Promise<T>): Promise<T>
  /** How many changes the last deploy made; told beside its time. */
  changes(): Promise<number>
}

/** What was started on this machine for a rehearsal. */
export interface World {
  /** The folder of its environment file and of `.infra`. */
  readonly root: string
  /** More variables for the command line. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What there is now, in a line. */
  readonly said: string
  /** Does all that is to be seen; what will be kept is not taken away at the end. */
  run(hands: Hands, kept: boolean): Promise<void>
  /** Leaves it running, and says how to look inside. */
  keep(): Promise<string>
  close(): Promise<void>
}

/** One workspace's rehearsal. */
export interface Rehearsal {
  readonly needs: readonly LabPart[]
  /** What it does on this machine, to be read before; `cache` is where slow things are kept. */
  introduction(cache: string): string
  open(): Promise<World>
}

/** Deploys twice, of which the second must find nothing to do, and verifies, with these options of `deploy` and `verify`. */
export async function deployTwice({ tool, timed, changes }: Hands, first: string[], checked: string[]): Promise<void> {
  await timed('first deploy', () => tool('deploy', ...first, '--yes'))
  await changes()
  await timed('second deploy', () => tool('deploy', '--yes'))
  const again = await changes()
  if (again !== 0) throw new Error(`the second deploy made ${again} changes; it should have found nothing to do`)
  await timed('verify', () => tool('verify', ...checked))
}
