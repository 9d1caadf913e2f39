import { converged, type Decision, refuse, type Step, step } from '@infra/shared/engine/step'
import { type NodeState, nodeStates } from '@infra/shared/facts/kubernetes/nodes'
import type { StoatContext } from '../context.ts'
import type { StoatEnv } from '../env/env.ts'
import { mongoMajor } from '../env/images.ts'

/** Nodes on which this version of MongoDB runs: it ends at once on others, with an exit code that tells nothing. */
export function mongodbFits({ kube, env }: Pick<StoatContext, 'kube' | 'env'>): Step {
  return step({
    id: 'nodes for MongoDB',
    on: kube,
    ask: { nodes: nodeStates() },
    plan: ({ nodes }) => judgeNodes(env, nodes),
  })
}

export function judgeNodes(env: Pick<StoatEnv, 'STOAT_MONGODB_IMAGE'>, nodes: readonly NodeState[]): Decision {
  const major = mongoMajor(env.STOAT_MONGODB_IMAGE)
  if (major === undefined) return converged('its version is not known by its image')
  const remedy =
    'Set STOAT_MONGODB_IMAGE to an older version (mongo:7; without AVX mongo:4.4, with which STOAT_IMAGES must not be next), or use other nodes.'
  const tooNew = nodes.filter(({ kernel }) => major >= 8 && isAtLeast(kernel, 6, 19))
  if (tooNew[0] && tooNew.length === nodes.length)
    return refuse(`MongoDB ${major} crashes on Linux ${tooNew[0].kernel}, which every node has`, remedy)
  if (major >= 5 && nodes.length > 0 && nodes.every(({ avx }) => avx === false))
    return refuse(`MongoDB ${major} needs processors with AVX, and no node has them`, remedy)
  return converged(`MongoDB ${major}`)
}

function isAtLeast(kernel: string, major: number, minor: number): boolean {
  const [one = 0, two = 0] = kernel.split('.').map(Number.parseFloat)
  return one > major || (one === major && two >= minor)
}
