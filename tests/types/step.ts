/** What must not compile in a step, a check, a change and a workspace. */

import { workspace } from '@infra/shared/cli/workspace'
import { raw } from '@infra/shared/command/sh'
import { check, ok } from '@infra/shared/engine/check'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import { script } from '@infra/shared/engine/script'
import { changes, converged, create, type Decision, type Question, refuse, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { fixtureSchema } from '../support/fixture/env.ts'

const on = blank('x')
const version: Question<string | null> = { command: raw('v'), parse: ({ stdout }) => stdout || null }
const count: Question<number> = { command: raw('c'), parse: ({ stdout }) => Number(stdout) }

// What compiles: facts have the types of their questions.
export const sound = step({
  id: 'sound',
  on,
  ask: { version, count },
  plan: ({ version, count }, { pending }) =>
    version === null || count.toFixed() === '0' || pending.length > 0
      ? changes([create('it', raw('true'))], 'there')
      : converged(version),
})

step({
  id: 'a fact that was not asked',
  on,
  ask: { version },
  // @ts-expect-error there is no question called `count`
  plan: ({ count }) => converged(String(count)),
})

step({
  id: 'a fact that may be missing',
  on,
  ask: { version },
  // @ts-expect-error the version is null on a blank host
  plan: ({ version }) => converged(version.trim()),
})

step({
  id: 'a fact of another type',
  on,
  ask: { count },
  // @ts-expect-error a number has no trim
  plan: ({ count }) => converged(count.trim()),
})

step({
  id: 'facts are not to be written',
  on,
  ask: { count },
  plan: (now) => {
    // @ts-expect-error a decision is pure
    now.count = 1
    return converged('')
  },
})

// @ts-expect-error a plan that forgets a case decides nothing
step({ id: 'no decision', on, ask: { count }, plan: ({ count }) => (count > 0 ? converged('') : undefined) })

step({
  id: 'a list is not a decision',
  on,
  ask: {},
  // @ts-expect-error `changes` says why there is none
  plan: () => [create('it', raw('true'))],
})

step({
  id: 'a plan cannot wait',
  on,
  ask: {},
  // @ts-expect-error what is to be found out is a question
  plan: async () => converged(''),
})

// @ts-expect-error a step is on a target
step({ id: 'nowhere', ask: {}, plan: () => converged('') })

// @ts-expect-error a step without an id has no identity
step({ on, ask: {}, plan: () => converged('') })

// @ts-expect-error a no-op explains itself
converged()

// @ts-expect-error so does an empty list of changes
changes([])

// @ts-expect-error a refusal says what the user can do
refuse('it must not be')

// @ts-expect-error converged without its reason
export const silent: Decision = { kind: 'converged' }

// @ts-expect-error a change does something
create('nothing')

// @ts-expect-error a command is built, not typed in
create('it', 'rm -rf /')

// @ts-expect-error there is no such risk
create('it', raw('true'), { risk: 'none' })

// @ts-expect-error a guard says how long it waits
create('it', raw('true'), { guard: { name: 'ufw', undo: raw('true') } })

// @ts-expect-error a check says what to do when it fails
check(on, { id: 'a', about: 'b', ask: {}, judge: () => ok('') })

check(on, {
  id: 'a',
  about: 'b',
  remedy: 'c',
  ask: { count },
  // @ts-expect-error a check knows only what it asked
  judge: ({ version }) => ok(String(version)),
})

// @ts-expect-error an exit code for every kind of failure
new Failure('oops', 'x')

// @ts-expect-error reporters know every event
export const unheard: Event = { type: 'change.maybe' }

const wants = script('wants', { about: '' }, ({ host }: { host: string }, add) => {
  add(step({ id: host, on, ask: {}, plan: () => converged('') }))
})

workspace<typeof fixtureSchema, { host: number }>({
  name: 'fixture',
  schema: fixtureSchema,
  open: () => ({ context: { host: 1 }, targets: [] }),
  // @ts-expect-error the workspace gives its scripts another context than they want
  scripts: [wants],
  checks: () => [],
})

workspace<typeof fixtureSchema, { host: string }>({
  name: 'fixture',
  schema: fixtureSchema,
  // @ts-expect-error the schema has no such variable
  open: ({ env }) => ({ context: { host: env.NO_SUCH_VARIABLE }, targets: [] }),
  scripts: [wants],
  checks: () => [],
})

workspace<typeof fixtureSchema, { host: string }>({
  name: 'fixture',
  schema: fixtureSchema,
  // @ts-expect-error a secret of the environment is not a string
  open: ({ env }) => ({ context: { host: env.FIXTURE_PASSWORD }, targets: [] }),
  scripts: [wants],
  checks: () => [],
})
