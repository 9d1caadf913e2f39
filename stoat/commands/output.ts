import { askOf } from '@infra/shared/engine/ask'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import type { FindOutput } from '@infra/shared/platform/commands/output'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { dnsRecord } from '@infra/shared/steps/kubernetes/load-balancer'
import type { StoatContext } from '../context.ts'
import { caddyService } from '../services.ts'
import { urlsOf } from '../urls.ts'

async function address(context: StoatContext): Promise<string | undefined> {
  await assertInside(context, true)
  const { now } = await askOf(context.kube, { now: serviceAddress(namespace, caddyService.name) })
  return now?.addresses[0]
}

/** All that can be asked for. */
export const outputs: Readonly<Record<string, FindOutput<StoatContext>>> = {
  url: ({ env }) => urlsOf(env).app,
  api_url: ({ env }) => urlsOf(env).api,
  events_url: ({ env }) => urlsOf(env).events,
  gateway_address: address,
  dns_record: async (context) => {
    const found = await address(context)
    return found && dnsRecord(context.env.STOAT_DOMAIN, found)
  },
}
