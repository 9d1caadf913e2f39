import { type Cost, costOf } from '@infra/shared/engine/cost'
import type { StoatContext } from './context.ts'

/** Of a load balancer of DigitalOcean's smallest size, in US dollars a month: https://www.digitalocean.com/pricing/load-balancers. */
export const loadBalancerPrice = 12

/** Of a GiB of its volumes: https://www.digitalocean.com/pricing/volumes-block-storage. */
const volumePrice = 0.1

/** What Stoat costs beside its cluster; undefined where that is not of DigitalOcean, whose prices alone are known. */
export function stoatCost({ env, doks }: Pick<StoatContext, 'env' | 'doks'>): Cost | undefined {
  if (!doks) return undefined
  const volumes: readonly [string, string | undefined][] = [
    ['MongoDB', env.STOAT_MONGODB_STORAGE],
    ['RabbitMQ', env.STOAT_RABBITMQ_STORAGE],
    ['MinIO', env.STOAT_S3_ENDPOINT === undefined ? env.STOAT_MINIO_STORAGE : undefined],
    ['Caddy', env.STOAT_CADDY_STORAGE],
  ]
  const exactly = (what: string, dollars: number) => ({ what, least: dollars, most: dollars })
  const items = [
    ...(env.STOAT_GATEWAY === 'load-balancer' ? [exactly('load balancer', loadBalancerPrice)] : []),
    ...volumes.flatMap(([of, size]) =>
      size === undefined || env.STORAGE_CLASS !== 'do-block-storage'
        ? []
        : [exactly(`volume of ${of}`, Math.ceil(gibibytes(size) * volumePrice * 100) / 100)],
    ),
  ]
  return items.length === 0 ? undefined : costOf('2026-11-24', items)
}

/** A size such as `10Gi`, in GiB. */
function gibibytes(size: string): number {
  const unit = { Ki: 1 / 1024 ** 2, Mi: 1 / 1024, Gi: 1, Ti: 1024 }[size.slice(-2)] ?? 1
  return Number.parseInt(size, 10) * unit
}
