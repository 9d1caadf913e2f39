import { sayObject } from '../../command/kubectl.ts'
import { converged, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type OwnObject, ownObjects } from '../../facts/kubernetes/objects.ts'

/** What was deployed for another AWS region than `region`; undefined where nothing was. */
export const elsewhere = (own: readonly OwnObject[], region: string): OwnObject | undefined =>
  own.find((one) => one.region !== undefined && one.region !== region)

/**
 * The region is the one that the cluster was deployed for: in another one everything of AWS would be made anew, empty,
 * and the bot sent there. Only ever refuses.
 */
export function sameRegion(on: Target, { workspace, region }: { workspace: string; region: string }): Step {
  return step({
    id: 'region of AWS',
    on,
    ask: { own: ownObjects(workspace) },
    plan({ own }) {
      const other = elsewhere(own, region)
      if (!other) return converged(region)
      return refuse(
        `AWS_REGION is ${region}, but ${sayObject(other)} in the cluster works in ${other.region}`,
        `Set AWS_REGION=${other.region} (an exported one wins over .env.${workspace}). To move, first take the old away there: npm run destroy -w ${workspace}. What tables and queues hold does not move.`,
      )
    },
  })
}
