import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { environmentFolder, openDoks } from '@infra/shared/platform/doks'
import { accessKeyChecks } from './checks/access-key.ts'
import { dynamodbChecks } from './checks/dynamodb.ts'
import { ecrChecks } from './checks/ecr.ts'
import { iamChecks } from './checks/iam.ts'
import { identityChecks } from './checks/identity.ts'
import { kubernetesChecks } from './checks/kubernetes.ts'
import { sqsChecks } from './checks/sqs.ts'
import { workloadChecks } from './checks/workloads.ts'
import { type ClusterContext, openAws, openBuilder } from './context.ts'
import { clusterSchema } from './env/env.ts'
import { openKubernetes } from './parts/kubernetes.ts'
import { cost } from './prices/prices.ts'
import kubernetes from './scripts/00-kubernetes.ts'
import dynamodb from './scripts/10-dynamodb.ts'
import sqs from './scripts/20-sqs.ts'
import ecr from './scripts/30-ecr.ts'
import iam from './scripts/40-iam.ts'
import images from './scripts/50-images.ts'
import namespace from './scripts/60-namespace.ts'
import redis from './scripts/70-redis.ts'
import bot from './scripts/80-discord-bot.ts'
import sandbox from './scripts/90-dev-sandbox.ts'

const cluster: Workspace = workspace<typeof clusterSchema, ClusterContext>({
  name: 'cluster',
  schema: clusterSchema,
  scripts: [kubernetes, dynamodb, sqs, ecr, iam, images, namespace, redis, bot, sandbox],
  open({ env, offline, environment, workspaceOptions, ...opening }) {
    const folder = environmentFolder(opening.folder, environment)
    const aws = openAws(env, offline, folder)
    const doks = openDoks(env, { offline, folder, writtenBy: 'npm run deploy -w cluster -- --tags kubernetes' })
    const kube = openKubernetes(env, { aws, doks, offline, folder })
    const asked = { prune: workspaceOptions?.prune === true, create: workspaceOptions?.create === true }
    const context = { env, aws, kube, builder: openBuilder(aws), doks, folder, workspace: 'cluster' as const, ...asked }
    return { context, targets: [aws, ...(doks ? [doks.cloud] : []), kube] }
  },
  checks: (context) =>
    [
      ...[identityChecks, kubernetesChecks, dynamodbChecks, sqsChecks, ecrChecks, iamChecks, accessKeyChecks],
      workloadChecks,
    ].flatMap((checks) => checks(context)),
  cost: () => cost,
})

export default cluster
