import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { dynamodbChecks } from './checks/dynamodb.ts'
import { type ClusterContext, openAws } from './cluster-context.ts'
import { clusterSchema } from './env.ts'
import dynamodb from './scripts/10-dynamodb.ts'

const cluster: Workspace = workspace<typeof clusterSchema, ClusterContext>({
  name: 'cluster',
  schema: clusterSchema,
  scripts: [dynamodb],
  open({ env, offline }) {
    const aws = openAws(env, offline)
    return { context: { env, aws }, targets: [aws] }
  },
  checks: dynamodbChecks,
})

export default cluster
