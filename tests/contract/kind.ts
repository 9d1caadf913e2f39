import type { Step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import type { ClaudeInstaller } from '../lab/claude-installer.ts'
import type { GitServer } from '../lab/git-server.ts'

/** The servers that the steps of the contract may use. */
export interface Servers {
  readonly git: GitServer
  readonly claude: ClaudeInstaller
}

/** Something that happens to hosts, as shell lines run as root on the host. */
export type Damage = {
  readonly name: string
  readonly sh: string
} & (
  | {
      /** The changes of the plan, joined by commas. */
      readonly says: RegExp
      /** The step that must be the only one to change anything; the last of the kind's unless told. */
      readonly step?: string
      /** What neither the answers of the host nor the plan may hold: a secret of whoever had been there before. */
      readonly hides?: string
      /** Shell lines that succeed on the healed host. */
      readonly healed?: string
    }
  | {
      /** The plan is shown as usual, but making it ends with this message … */
      readonly fails: RegExp
      /** … and leaves behind what these shell lines find … */
      readonly left: string
      /** … until somebody does this by hand. */
      readonly mend: string
    }
  | {
      /** The plan stops with this message … */
      readonly stops: RegExp
      /** … until somebody does this by hand; without it, the command that the remedy prints, and deploys again. */
      readonly mend?: string
    }
)

/** A kind of step as the contract tries it. */
export interface Kind {
  readonly kind: string
  /** The exported functions of shared/src/steps that it tries. */
  readonly covers: readonly string[]
  /** Shell lines run as root before the first plan. */
  readonly prepare?: string
  /** Whether it only judges: there is nothing to create on a host that is as it should be. */
  readonly judges?: boolean
  steps(on: Target, servers: Servers): readonly Step[]
  readonly damages: readonly Damage[]
}
