import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { stoatChecks } from './checks/checks.ts'
import { openStoat, type StoatContext } from './context.ts'
import { stoatSchema } from './env/env.ts'
import { stoatCost } from './prices.ts'
import config from './scripts/10-config.ts'
import datastores from './scripts/20-datastores.ts'
import buckets from './scripts/30-buckets.ts'
import services from './scripts/40-services.ts'
import gateway from './scripts/50-gateway.ts'

const stoat: Workspace = workspace<typeof stoatSchema, StoatContext>({
  name: 'stoat',
  schema: stoatSchema,
  scripts: [config, datastores, buckets, services, gateway],
  open({ env, offline, environment, folder, workspaceOptions, runsBefore }) {
    const afterCluster = runsBefore?.('cluster') === true
    const prune = workspaceOptions?.prune === true
    const smoke = workspaceOptions?.smoke === true
    const hasBackup = workspaceOptions?.['has-backup'] === true
    const context = openStoat({ env, offline, environment, folder, prune, afterCluster, smoke, hasBackup })
    return { context, targets: [...(context.doks ? [context.doks.cloud] : []), context.kube] }
  },
  checks: stoatChecks,
  cost: stoatCost,
})

export default stoat
