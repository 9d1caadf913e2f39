import { tellTargets } from '@infra/shared/cli/commands'
import { canAsk, typeNames } from '@infra/shared/cli/confirm'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { runWork } from '@infra/shared/cli/work'
import { keyOf } from '@infra/shared/command/kubectl'
import { askOf } from '@infra/shared/engine/ask'
import { otherMakers } from '@infra/shared/facts/kubernetes/makers'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { findToDestroy } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { noLoadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import { adoptedName, noObjects } from '@infra/shared/steps/kubernetes/removal'
import { copySecret } from '../adoption/names.ts'
import type { StoatContext } from '../context.ts'
import { stoatSecret } from '../keys.ts'
import { httpRoutes } from '../manifests/gateway.ts'
import { backupConfigMap, caddyService, canaryConfigMap, stores } from '../services.ts'

/** The apps that have volumes. */
const apps = [...Object.values(stores).map(({ name }) => name), caddyService.name]

/**
 * `destroy`: takes away what was made here. Volumes and the Secret of the keys are kept, unless `--data` is given and their
 * names are typed. The namespace and Redis are the cluster's.
 */
export async function runDestroy(session: Session): Promise<number> {
  const loaded = open(session, 'access', ['STOAT_DOMAIN'])
  const context = loaded.context as StoatContext
  const { kube, env } = context
  const { inside } = await findToDestroy(context)
  await tellTargets(session, { targets: [kube] })
  if (!inside) {
    session.emit({ type: 'message', level: 'info', text: 'there is no cluster, and so no Stoat: nothing to do' })
    return 0
  }
  const confirmed = await confirmedNames(session, context)
  const objects = noObjects(kube, {
    ...{ workspace: 'stoat', namespace, apps, confirmed, extension: httpRoutes.kind },
    withVolumes: [canaryConfigMap, backupConfigMap, copySecret],
    keys: [{ name: stoatSecret, copy: 'npm run show-keys -w stoat' }],
  })
  const { name: service } = caddyService
  const balancer = noLoadBalancer(kube, {
    ...{ namespace, service, domain: env.STOAT_DOMAIN, timeoutSeconds: env.ROLLOUT_TIMEOUT, dependsOn: [objects] },
  })
  await runWork(session, [{ script: 'stoat', steps: [objects, balancer] }], [kube])
  return 0
}

/** The names of what holds data, or was adopted, and shall go all the same: from `--confirm`, or typed on the terminal. */
async function confirmedNames(session: Session, { kube }: StoatContext): Promise<readonly string[]> {
  const { workspaceOptions: own, options, processEnv } = session
  const given = [own.confirm ?? []].flat().flatMap((text) => String(text).split(','))
  if (!own.data) {
    if (given.length > 0) throw usage('--confirm goes with --data', 'destroy -- --data --confirm NAME')
    return []
  }
  const ask = { own: ownObjects('stoat'), claims: volumeClaims(namespace), makers: otherMakers('stoat') }
  const found = await askOf(kube, ask)
  const volumes = found.claims.filter(({ app }) => apps.some((name) => name === app)).map(({ name }) => name)
  const adopted = found.own.filter((one) => found.makers.has(keyOf(one)) && one.kind !== 'PersistentVolumeClaim')
  // Those of a run before, which may be gone already: named again they do no harm.
  const made = [...Object.values(stores).map(({ name }) => `data-${name}-0`), 'stoat-caddy-data']
  const known = [...new Set([...volumes, ...made, stoatSecret, ...adopted.map(adoptedName)])]
  const names = given.length > 0 ? given : await typeNames(known, canAsk(options.json === true, processEnv))
  const strange = names.filter((name) => !known.includes(name))
  if (strange.length > 0)
    throw usage(`there is nothing called ${strange.join(', ')} that holds data`, `There are: ${known.join(', ')}`)
  return names
}
