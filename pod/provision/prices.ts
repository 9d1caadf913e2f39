import { type Cost, costOf } from '@infra/shared/engine/cost'
import type { PodEnv } from '../env/env.ts'

/**
 * What a droplet costs a month in US dollars, for a plan that cannot ask: in force since July 2022, from
 * https://www.digitalocean.com/pricing/droplets. With a token the API's own price is shown.
 */
export const dropletPrices: Readonly<Record<string, number>> = {
  's-1vcpu-1gb': 6,
  's-1vcpu-2gb': 12,
  's-2vcpu-2gb': 18,
  's-2vcpu-4gb': 24,
  's-4vcpu-8gb': 48,
  's-8vcpu-16gb': 96,
}

/** What the droplet costs; undefined where no token says that there is one, or its price is not known. */
export function dropletCost(env: Pick<PodEnv, 'DIGITALOCEAN_TOKEN' | 'VALENCE_DROPLET_SIZE'>): Cost | undefined {
  const price = dropletPrices[env.VALENCE_DROPLET_SIZE]
  if (env.DIGITALOCEAN_TOKEN === undefined || price === undefined) return undefined
  return costOf('2026-11-24', [{ what: `droplet ${env.VALENCE_DROPLET_SIZE}`, least: price, most: price }])
}
