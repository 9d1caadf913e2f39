import { type Command, showText } from '@infra/shared/command/command'
import { collect } from '@infra/shared/engine/declaration'
import { makePlan } from '@infra/shared/engine/plan'
import { sampleEnv } from '@infra/shared/env/sample'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import cluster from '../../cluster/cluster.ts'

/** The objects that a command applies, each as YAML, with its secrets masked. */
function applied({ line, stdin }: Command): string[] {
  if (!stdin || !line.startsWith('kubectl apply')) return []
  const { items } = JSON.parse(showText(stdin).replaceAll(':[secret]', ':"[secret]"'))
  return items.map((object: unknown) => stringify(object, { lineWidth: 0 }))
}

// To accept a change of objects: npx vitest run tests/plans -u, and read the difference.
test('the Kubernetes objects of the cluster, as a first deploy sends them', async () => {
  const { context } = cluster.open({ env: sampleEnv(cluster.schema), offline: true, folder: '/nonexistent' })
  const { steps } = await makePlan(collect(cluster.scripts, context), () => {})
  const commands = steps.flatMap(({ decision }) =>
    decision?.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : [],
  )
  await expect(commands.flatMap(applied).join('---\n')).toMatchFileSnapshot('cluster-objects.yaml')
})
