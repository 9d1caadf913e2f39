/** Exit codes, as docs/commands.md documents them. */
export const exitCodes = {
  error: 1,
  changes: 2,
  verify: 3,
  unreachable: 4,
  locked: 5,
  stale: 6,
  usage: 64,
  interrupted: 130,
  terminated: 143,
} as const

export type FailureKind = keyof typeof exitCodes

interface FailureOptions {
  /** What the user can do about it. */
  remedy?: string
  /** More to show below the message: a command, its last lines. Free of secrets. */
  detail?: readonly string[]
  cause?: unknown
}

/** An error for the user: what failed, and what to do. Anything else that is thrown is a defect of this program. */
export class Failure extends Error {
  readonly kind: FailureKind
  readonly remedy: string | undefined
  readonly detail: readonly string[]

  constructor(kind: FailureKind, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.remedy = options.remedy
    this.detail = options.detail ?? []
  }
}
