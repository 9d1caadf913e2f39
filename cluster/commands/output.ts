import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { nearest } from '@infra/shared/env/suggest'
import { repositoryState } from '@infra/shared/facts/aws/ecr'
import { queueAddress } from '@infra/shared/facts/aws/sqs'
import { callerIdentity } from '@infra/shared/facts/aws/sts'
import { assertInside, findCluster } from '@infra/shared/platform/kubernetes'
import { print } from '@infra/shared/report/print'
import type { ClusterContext } from '../context.ts'
import { tables } from '../scripts/10-dynamodb.ts'
import { deadLettersOf, queues } from '../scripts/20-sqs.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** Finds a value out; undefined while what it is of is not there. */
type Find = (context: ClusterContext) => Promise<string | undefined> | string | undefined

/** The way into the cluster; undefined as long as there is none. */
async function wayIn(context: ClusterContext) {
  await assertInside(context, true)
  return findCluster(context.env, context.folder, context.doks)
}

const word = (name: string) => name.replaceAll('-', '_')

const queueUrls = queues.flatMap((queue) =>
  [queue, deadLettersOf(queue)].map((name): [string, Find] => [
    `${word(name)}_queue_url`,
    async ({ aws }) => (await askOf(aws, { url: queueAddress(aws.place, name) })).url ?? undefined,
  ]),
)

/** All that can be asked for, by the names that `terraform output` had and some more. */
export const outputs: Readonly<Record<string, Find>> = Object.fromEntries([
  ...queueUrls,
  ...tables.map(({ name }): [string, Find] => [`${word(name)}_table_name`, () => name]),
  ...repositories.map(({ name }): [string, Find] => [
    `${word(name)}_repository_url`,
    async ({ aws }) => (await askOf(aws, { found: repositoryState(aws.place, name) })).found?.uri,
  ]),
  ['cluster_name', ({ env }) => env.KUBE_CONTEXT ?? env.DO_CLUSTER_NAME],
  ['cluster_endpoint', async (context) => (await wayIn(context))?.server],
  ['kubeconfig', async (context) => (await wayIn(context))?.files],
  ['region', ({ env }) => env.AWS_REGION],
  ['account_id', async ({ aws }) => (await askOf(aws, { who: callerIdentity(aws.place) })).who?.account],
] satisfies [string, Find][])

/** `output [NAME] [--json]`: one value for `$(…)`, or all of them. */
export async function runOutput(session: Session): Promise<number> {
  const [name] = session.args
  const find = name === undefined ? undefined : outputs[name]
  if (name !== undefined && !find) {
    const near = nearest(name, Object.keys(outputs), 6)
    throw usage(
      `there is no output ${name}`,
      near ? `Did you mean ${near}?` : `There are: ${Object.keys(outputs).join(', ')}`,
    )
  }
  const context = open(session, 'verify').context as ClusterContext
  if (name !== undefined && find) {
    const value = await find(context)
    if (value === undefined)
      throw new Failure('error', `${name} is not known yet`, {
        remedy: 'npm run deploy -w cluster makes what it is of.',
      })
    print(session.options.json ? JSON.stringify(value) : value)
    return 0
  }
  const entries = Object.entries(outputs).map(async ([key, find]) => [key, (await find(context)) ?? null] as const)
  const values = await Promise.all(entries)
  if (session.options.json) print(JSON.stringify(Object.fromEntries(values), null, 2))
  else print(values.map(([key, value]) => `${key} = ${value ?? '(not there yet)'}`).join('\n'))
  return 0
}
