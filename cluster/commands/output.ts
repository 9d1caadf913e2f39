import { askOf } from '@infra/shared/engine/ask'
import { repositoryState } from '@infra/shared/facts/aws/ecr'
import { queueAddress } from '@infra/shared/facts/aws/sqs'
import { callerIdentity } from '@infra/shared/facts/aws/sts'
import type { FindOutput } from '@infra/shared/platform/commands/output'
import { assertInside, findCluster } from '@infra/shared/platform/kubernetes'
import type { ClusterContext } from '../context.ts'
import { tables } from '../scripts/10-dynamodb.ts'
import { deadLettersOf, queues } from '../scripts/20-sqs.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** The way into the cluster; undefined as long as there is none. */
async function wayIn(context: ClusterContext) {
  await assertInside(context, true)
  return findCluster(context.env, context.folder, context.doks)
}

const word = (name: string) => name.replaceAll('-', '_')

const queueUrls = queues.flatMap((queue) =>
  [queue, deadLettersOf(queue)].map((name): [string, FindOutput<ClusterContext>] => [
    `${word(name)}_queue_url`,
    async ({ aws }) => (await askOf(aws, { url: queueAddress(aws.place, name) })).url ?? undefined,
  ]),
)

/** All that can be asked for, by the names that `terraform output` had and some more. */
export const outputs: Readonly<Record<string, FindOutput<ClusterContext>>> = Object.fromEntries([
  ...queueUrls,
  ...tables.map(({ name }): [string, FindOutput<ClusterContext>] => [`${word(name)}_table_name`, () => name]),
  ...repositories.map(({ name }): [string, FindOutput<ClusterContext>] => [
    `${word(name)}_repository_url`,
    async ({ aws }) => (await askOf(aws, { found: repositoryState(aws.place, name) })).found?.uri,
  ]),
  ['cluster_name', ({ env }) => env.KUBE_CONTEXT ?? env.DO_CLUSTER_NAME],
  ['cluster_endpoint', async (context) => (await wayIn(context))?.server],
  ['kubeconfig', async (context) => (await wayIn(context))?.files],
  ['region', ({ env }) => env.AWS_REGION],
  ['account_id', async ({ aws }) => (await askOf(aws, { who: callerIdentity(aws.place) })).who?.account],
] satisfies [string, FindOutput<ClusterContext>][])
