import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import type { ClusterContext } from '../context.ts'
import { namespaceSteps } from '../parts/namespace.ts'

export default script(
  'namespace',
  { about: 'the namespace: secrets, the renewal of the pull secret, who may connect to whom', tags: ['workloads'] },
  (context: ClusterContext) => namespaceSteps(context).all,
)

standalone(import.meta.url)
