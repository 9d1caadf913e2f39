import { sayObject } from '@infra/shared/command/kubectl'
import { converged, refuse, type Step, step } from '@infra/shared/engine/step'
import { carriedVolumes, claims, leftClaims, notOurs } from '../adoption/volumes.ts'
import { originalNames } from '../adoption/workloads.ts'
import type { StoatContext } from '../context.ts'

/**
 * No platform of another program under Stoat's names (the original's Terraform), nor one that is half adopted: a deployment
 * beside it would start with empty volumes, and two programs would answer by one name.
 */
export function notBesideAnother({ kube }: Pick<StoatContext, 'kube'>): Step {
  return step({
    id: 'platform of another program',
    on: kube,
    ask: { workloads: originalNames, carried: carriedVolumes, claims },
    plan({ workloads, carried, claims }) {
      const remedy =
        'npm run adopt -w stoat -- --check shows how its data and keys are taken over; npm run adopt -w stoat does it. Then deploy.'
      const [first, ...others] = workloads
      if (first) {
        const more = others.length > 0 ? ` and ${others.length} more` : ''
        return refuse(`another program made ${sayObject(first)}${more}: Stoat is there already`, remedy, {
          alone: true,
        })
      }
      const [half] = carried
      if (half)
        return refuse(
          `the adoption has not come to its end: volume ${half.name} is kept for claim ${half.carriedFor}`,
          remedy,
          { alone: true },
        )
      const [left] = leftClaims(claims)
      return left
        ? refuse(
            `claim ${left.claim.name} looks like the data of ${left.store} of an earlier Stoat, and a new one would be made beside it`,
            `${remedy} Where it holds nothing of Stoat's: ${notOurs(left.claim.name)}`,
            { alone: true },
          )
        : converged('none')
    },
  })
}
