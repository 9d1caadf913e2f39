import { converged, type Decision, noting, refuse, type Step, step } from '@infra/shared/engine/step'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import type { StoatEnv } from '../env/env.ts'
import { knownDefects, releaseNameOf } from '../releases.ts'
import { stoatServices } from '../services.ts'

const order = ['revolt', 'stoat', 'next'] as const

/** The release is not older than the one that runs: the api has migrated the database, and there is no way back. */
export function noDowngrade({ kube, env }: Pick<StoatContext, 'kube' | 'env'>): Step {
  return step({
    id: 'release of Stoat',
    on: kube,
    ask: { image: workloadImage(namespace, `deployment/${stoatServices.api.name}`) },
    plan: ({ image }) => judgeRelease(env, image),
  })
}

export function judgeRelease(env: StoatEnv, image: string | null): Decision {
  const [now, desired] = [image === null ? undefined : releaseNameOf(image), env.STOAT_IMAGES]
  if (now && order.indexOf(desired) < order.indexOf(now) && env.STOAT_API_IMAGE === undefined)
    return refuse(
      `STOAT_IMAGES is ${desired}, but ${now} runs: its database cannot go back`,
      `Set STOAT_IMAGES=${now}. To go back all the same, restore a backup that was made before the upgrade.`,
    )
  const upgrade =
    now && now !== desired
      ? [
          `${now} → ${desired}: the api migrates the database at its start, for good; make a backup of the volumes first`,
        ]
      : []
  return noting(converged(env.STOAT_IMAGES), [...upgrade, ...knownDefects(env)])
}
