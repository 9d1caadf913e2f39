import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import type { ClusterContext } from '../context.ts'
import { devSandbox, sandboxAccess } from '../manifests/dev-sandbox.ts'
import { newImage } from '../parts/images.ts'
import { latestOf } from '../parts/kubernetes.ts'

export default script(
  'dev-sandbox',
  { about: 'the sandbox in which the bot runs code', tags: ['workloads', 'sandbox'] },
  (context: ClusterContext, add) => {
    const { env } = context
    const image = env.DEV_SANDBOX_IMAGE ?? latestOf('dev-sandbox')
    const sandbox = devSandbox({
      image,
      size: env.SANDBOX_STORAGE,
      storageClass: env.STORAGE_CLASS,
      scope: env.SANDBOX_SCOPE,
      repository: env.SANDBOX_REPOSITORY,
      mcp: env.SANDBOX_MCP ? { image: env.SANDBOX_MCP_IMAGE ?? image, commands: env.SANDBOX_MCP_COMMANDS } : undefined,
    })
    add(
      deployment(context, 'dev-sandbox', {
        objects: [...sandboxAccess(env.SANDBOX_SCOPE), ...sandbox],
        workloads: ['deployment/dev-sandbox'],
        claimVariables: { 'dev-sandbox-workspaces': { size: 'SANDBOX_STORAGE', storageClass: 'STORAGE_CLASS' } },
        podInputs: newImage(context, 'dev-sandbox'),
      }),
    )
  },
)

standalone(import.meta.url)
