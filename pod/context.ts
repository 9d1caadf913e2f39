import type { Target } from '@infra/shared/engine/target'
import type { PodEnv } from './env/env.ts'

/** What the pod's scripts and checks are given. */
export interface PodContext {
  readonly env: PodEnv
  /** The droplet. Blank while it has no address yet. */
  readonly host: Target
  /** The file on this machine with the public halves of the keys that sign this pod's archives. */
  readonly pins: string
}
