import type { Emit, Event } from '../engine/events.ts'
import { Failure } from '../engine/failure.ts'
import type { Plan, PlannedStep } from '../engine/plan.ts'

/** The npm scripts that know no environment. */
const without: ReadonlySet<string> = new Set(['show', 'rehearse', 'docs', 'lock', 'test', 'lint', 'types', 'bench'])

// What follows a call, up to where a text goes on, may name the environment already.
const call = /npm run (-s )?([a-z][a-z-]*)( -w [a-z]+)?( --(?= |$))?(?=([^;,()`\n]*))/g

/**
 * A text for the user, whose calls (`npm run deploy -w pod`) are of the environment in force: without `--env staging`
 * whoever types them would work on another installation. Twice is as once.
 */
export function inEnvironment(text: string, environment: string | undefined): string {
  if (environment === undefined) return text
  return text.replace(call, (found, silent = '', script = '', workspace = '', _dashes = '', rest = '') =>
    without.has(script) || /(^|\s)--env[ =]/.test(rest)
      ? found
      : `npm run ${silent}${script}${workspace} -- --env ${environment}`,
  )
}

/** What tells `emit` of the environment in force: every text of an event that names a call is completed. */
export function tellingOf(environment: string | undefined, emit: Emit): Emit {
  return environment === undefined ? emit : (event) => emit(eventIn(event, environment))
}

function eventIn(event: Event, environment: string): Event {
  const say = (text: string) => inEnvironment(text, environment)
  const maybe = (text: string | undefined) => (text === undefined ? undefined : say(text))
  switch (event.type) {
    case 'message':
      return { ...event, text: say(event.text) }
    case 'failure':
      return { ...event, ...toldIn(event, environment) }
    case 'check':
      return { ...event, detail: say(event.detail), remedy: maybe(event.remedy) }
    case 'plan':
      return { ...event, plan: planIn(event.plan, environment) }
    default:
      return event
  }
}

/** A plan whose texts name the environment in force, as it is shown and kept. */
export function planIn(plan: Plan, environment: string | undefined): Plan {
  const say = (text: string) => inEnvironment(text, environment)
  const decided = ({ decision }: PlannedStep): PlannedStep['decision'] => {
    if (decision?.kind === 'refused') return { ...decision, reason: say(decision.reason), remedy: say(decision.remedy) }
    return decision?.notes ? { ...decision, notes: decision.notes.map(say) } : decision
  }
  return {
    steps: plan.steps.map((planned) => ({
      ...planned,
      decision: decided(planned),
      unknown: planned.unknown === undefined ? undefined : say(planned.unknown),
    })),
  }
}

/** What a failure tells the user. */
function toldIn({ message, remedy, detail }: Pick<Failure, 'message' | 'remedy' | 'detail'>, environment: string) {
  const say = (text: string) => inEnvironment(text, environment)
  return { message: say(message), remedy: remedy === undefined ? undefined : say(remedy), detail: detail.map(say) }
}

/** A failure of a call that ended before there was a run, with `argv` as it was typed. */
export function failureIn(failure: Failure, argv: readonly string[]): Failure {
  const at = argv.findIndex((word) => word === '--env' || word.startsWith('--env='))
  const environment = at < 0 ? undefined : (argv[at]?.split('=')[1] ?? argv[at + 1])
  if (environment === undefined || !/^[A-Za-z0-9][\w-]*$/.test(environment)) return failure
  const { message, remedy, detail } = toldIn(failure, environment)
  return new Failure(failure.kind, message, {
    ...(remedy !== undefined && { remedy }),
    detail,
    cause: failure.cause,
  })
}
