import type { Workspace } from '@infra/shared/cli/workspace'
import { secret } from '@infra/shared/command/secret'
import { assertOrder, collect } from '@infra/shared/engine/declaration'
import type { Work } from '@infra/shared/engine/plan'
import { idOf, type Step } from '@infra/shared/engine/step'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/cluster.ts'
import pod from '../../../pod/pod.ts'
import provision from '../../../pod/provision/provision.ts'
import stoat from '../../../stoat/stoat.ts'
import { shuffled } from '../../support/shuffle.ts'

// What a variable adds or takes away is judged as well.
const declarations: Readonly<Record<string, readonly [Workspace, Record<string, unknown>]>> = {
  pod: [pod, { SYNAPSE_INSTALL: 'apt', VALENCE_BACKUP_TIMER: true, VALENCE_BACKUP_RECIPIENT: ['age1sample'] }],
  'pod with Synapse by pip': [pod, { SYNAPSE_INSTALL: 'pip', VALENCE_BACKUP_TIMER: false }],
  'the droplet': [provision, {}],
  cluster: [cluster, {}],
  'cluster with keys and images of the user': [
    cluster,
    {
      BOT_AWS_ACCESS_KEY_ID: secret('AKIA'),
      BOT_AWS_SECRET_ACCESS_KEY: secret('a secret'),
      DISCORD_BOT_IMAGE: 'bot:1',
      DEV_SANDBOX_IMAGE: 'sandbox:1',
      KUBE_CONTEXT: 'kind',
    },
  ],
  stoat: [stoat, {}],
}

function workOf([workspace, more]: readonly [Workspace, Record<string, unknown>]): Work[] {
  const env = { ...sampleEnv(workspace.schema), ...more } as never
  return collect(workspace.scripts, workspace.open({ env, offline: true, folder: '/nonexistent' }).context)
}

/** The ids of all that a step of a script comes after. */
function before(step: Step, steps: readonly Step[]): Set<string> {
  const ids = new Set<string>()
  const add = ({ dependsOn }: Step): void => {
    for (const id of dependsOn.map(idOf)) {
      if (ids.has(id)) continue
      ids.add(id)
      const next = steps.find((other) => other.id === id)
      if (next) add(next)
    }
  }
  add(step)
  return ids
}

describe.each(Object.entries(declarations))('the scripts of %s', (_, declaration) => {
  const work = workOf(declaration)

  test('are in order, and in each other order that their dependencies allow', () => {
    for (const order of ['last', 1, 2, 3] as const) {
      const other = work.map(({ script, steps }) => ({ script, steps: shuffled(steps, order) }))
      expect(() => assertOrder(other)).not.toThrow()
      expect(other.map(({ steps }) => new Set(steps))).toEqual(work.map(({ steps }) => new Set(steps)))
    }
  })

  test('have an edge from what lies in a directory to the step that makes it', () => {
    const missing = work.flatMap(({ steps }) =>
      steps.flatMap((step) => {
        const path = step.id.match(/ (\/\S+)$/)?.[1]
        const above = steps.filter(({ id }) => path?.startsWith(`${id.match(/^directory (\/\S+)$/)?.[1]}/`))
        return above.filter(({ id }) => !before(step, steps).has(id)).map(({ id }) => `${step.id} → ${id}`)
      }),
    )
    expect(missing).toEqual([])
  })
})
