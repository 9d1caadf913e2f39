import { tellTargets } from '@infra/shared/cli/commands'
import { canAsk, typeNames } from '@infra/shared/cli/confirm'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { runWork } from '@infra/shared/cli/work'
import { keyOf } from '@infra/shared/command/kubectl'
import { askOf } from '@infra/shared/engine/ask'
import type { Work } from '@infra/shared/engine/plan'
import type { Target } from '@infra/shared/engine/target'
import type { KubernetesState } from '@infra/shared/facts/digitalocean/kubernetes'
import { otherMakers } from '@infra/shared/facts/kubernetes/makers'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { type FoundCluster, findToDestroy } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { adoptedInAws, noQueue, noRepository, noTable, noUser } from '@infra/shared/steps/aws/removal'
import { noCluster } from '@infra/shared/steps/digitalocean/removal'
import { adoptedName, noObjects } from '@infra/shared/steps/kubernetes/removal'
import { sameRegion } from '@infra/shared/steps/kubernetes/same-region'
import type { ClusterContext } from '../context.ts'
import { desiredCluster } from '../scripts/00-kubernetes.ts'
import { tables } from '../scripts/10-dynamodb.ts'
import { deadLettersOf, queues } from '../scripts/20-sqs.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** The apps of this workspace that have volumes. */
const apps = ['redis', 'dev-sandbox']
/** What those are called: to be named again without harm when a run before has removed them already. */
const volumes = ['data-redis-0', 'dev-sandbox-workspaces']

/**
 * `destroy`: takes away what was made here, in the reverse order of its making. Tables, queues and volumes are kept
 * unless `--data` is given and their names are typed, the DOKS cluster unless `--cluster` names it.
 */
export async function runDestroy(session: Session): Promise<number> {
  const loaded = open(session, 'access')
  const context = loaded.context as ClusterContext
  const found = await findToDestroy(context)
  await tellTargets(session, loaded)
  const confirmed = await confirmedNames(session, context, found.inside)
  const work = destroyWork(context, { ...found, confirmed, cluster: clusterToDelete(session, context) })
  await runWork(session, work, loaded.targets)
  return 0
}

interface Destruction extends FoundCluster {
  readonly confirmed: readonly string[]
  /** Whether the DOKS cluster goes as well. */
  readonly cluster: boolean
}

/** What has to be gone, in order. */
export function destroyWork(context: ClusterContext, { doks: found, inside, confirmed, cluster }: Destruction): Work[] {
  const { aws, kube, env, doks } = context
  const named = (name: string) => ({ name, confirmed: confirmed.includes(name) })
  const region = sameRegion(kube, { workspace: 'cluster', region: env.AWS_REGION })
  const adopted = (...of: Parameters<typeof adoptedInAws>) => ({
    name: of[1],
    confirmed: confirmed.includes(adoptedInAws(...of)),
  })
  const objects = noObjects(kube, { workspace: 'cluster', namespace, apps, confirmed })
  const dependsOn = inside ? [objects] : []
  const gone = queues.map((name) => noQueue(aws, { ...named(name), dependsOn }))
  return [
    ...(inside ? [{ script: 'workloads', steps: [region, objects] }] : []),
    {
      script: 'aws',
      steps: [
        ...(env.BOT_AWS_ACCESS_KEY_ID ? [] : [noUser(aws, { ...adopted('user', env.BOT_IAM_USER), dependsOn })]),
        ...repositories.map(({ name }) => noRepository(aws, { ...adopted('repository', name), dependsOn })),
        // A queue of dead letters only after the one that sends them there.
        ...gone,
        ...queues.map((name) => noQueue(aws, { ...named(deadLettersOf(name)), dependsOn: gone })),
        ...tables.map(({ name }) => noTable(aws, { ...named(name), dependsOn })),
      ],
    },
    ...(cluster && doks
      ? [{ script: 'kubernetes', steps: [noCluster(doks.cloud, removalOf(context, doks, found, dependsOn))] }]
      : []),
  ]
}

function removalOf(
  context: ClusterContext,
  doks: NonNullable<ClusterContext['doks']>,
  cluster: KubernetesState | undefined,
  dependsOn: Parameters<typeof noCluster>[1]['dependsOn'],
) {
  const { name, tag } = desiredCluster(context)
  return { cluster, name, tag, kubeconfig: doks.kubeconfig.path, dependsOn }
}

/** Whether `--cluster` was given, with the right name. */
function clusterToDelete({ workspaceOptions: own }: Session, { doks, env }: ClusterContext): boolean {
  if (typeof own.cluster !== 'string') return false
  if (!doks) throw usage('--cluster is for the DOKS cluster', 'Unset KUBECONFIG and KUBE_CONTEXT.')
  if (own.cluster === env.DO_CLUSTER_NAME) return true
  throw usage(`--cluster ${own.cluster} is not the name of the cluster`, `It is --cluster ${env.DO_CLUSTER_NAME}`)
}

/** The names of what holds data, or was adopted, and shall go all the same: from `--confirm`, or typed on the terminal. */
async function confirmedNames(
  { workspaceOptions: own, options, processEnv }: Session,
  { kube, env }: ClusterContext,
  inside: boolean,
): Promise<readonly string[]> {
  const given = [own.confirm ?? []].flat().flatMap((text) => String(text).split(','))
  if (!own.data) {
    if (given.length > 0) throw usage('--confirm goes with --data', 'destroy -- --data --confirm NAME')
    return []
  }
  const ours = inside ? await namedInside(kube) : []
  const named = [...tables.map(({ name }) => name), ...queues, ...queues.map(deadLettersOf), ...volumes]
  // These hold data only where they were adopted: they are known, but not offered.
  const inAws = [
    adoptedInAws('user', env.BOT_IAM_USER),
    ...repositories.map(({ name }) => adoptedInAws('repository', name)),
  ]
  const offered = [...new Set([...named, ...ours])]
  const known = [...offered, ...inAws]
  const interactive = canAsk(options.json === true, processEnv)
  const names = given.length > 0 ? given : await typeNames(offered, interactive)
  const strange = names.filter((name) => !known.includes(name))
  if (strange.length > 0)
    throw usage(`there is nothing called ${strange.join(', ')} that holds data`, `There are: ${known.join(', ')}`)
  return names
}

/** The names of our volumes, those that we claim and those that one of our StatefulSets claims, and of what was adopted. */
async function namedInside(kube: Target): Promise<string[]> {
  const ask = { own: ownObjects('cluster'), claims: volumeClaims(namespace), makers: otherMakers('cluster') }
  const { own, claims, makers } = await askOf(kube, ask)
  const claimed = own.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(({ name }) => name)
  return [
    ...claims.flatMap(({ name, app = '' }) => (claimed.includes(name) || apps.includes(app) ? [name] : [])),
    ...own.filter((one) => makers.has(keyOf(one)) && one.kind !== 'PersistentVolumeClaim').map(adoptedName),
  ]
}
