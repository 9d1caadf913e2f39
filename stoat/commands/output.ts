import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { nearest } from '@infra/shared/env/suggest'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { print } from '@infra/shared/report/print'
import { dnsRecord } from '@infra/shared/steps/kubernetes/load-balancer'
import type { StoatContext } from '../context.ts'
import { caddyService } from '../services.ts'
import { urlsOf } from '../urls.ts'

/** Finds a value out; undefined while there is none. */
type Find = (context: StoatContext) => Promise<string | undefined> | string | undefined

async function address(context: StoatContext): Promise<string | undefined> {
  await assertInside(context, true)
  const { now } = await askOf(context.kube, { now: serviceAddress(namespace, caddyService.name) })
  return now?.addresses[0]
}

const outputs: Readonly<Record<string, Find>> = {
  url: ({ env }) => urlsOf(env).app,
  api_url: ({ env }) => urlsOf(env).api,
  events_url: ({ env }) => urlsOf(env).events,
  gateway_address: address,
  dns_record: async (context) => {
    const found = await address(context)
    return found && dnsRecord(context.env.STOAT_DOMAIN, found)
  },
}

/** `output [NAME] [--json]`: one value for `$(…)`, or all of them. */
export async function runOutput(session: Session): Promise<number> {
  const [name] = session.args
  const find = name === undefined ? undefined : outputs[name]
  if (name !== undefined && !find) {
    const near = nearest(name, Object.keys(outputs), 6)
    const names = Object.keys(outputs).join(', ')
    throw usage(`there is no output ${name}`, near ? `Did you mean ${near}?` : `There are: ${names}`)
  }
  const context = open(session, 'verify').context as StoatContext
  if (name !== undefined && find) {
    const value = await find(context)
    if (value === undefined)
      throw new Failure('error', `${name} is not known yet`, { remedy: 'npm run deploy -w stoat makes what it is of.' })
    print(session.options.json ? JSON.stringify(value) : value)
    return 0
  }
  const all = Object.entries(outputs).map(async ([key, look]) => [key, (await look(context)) ?? null] as const)
  const values = await Promise.all(all)
  if (session.options.json) print(JSON.stringify(Object.fromEntries(values), null, 2))
  else print(values.map(([key, value]) => `${key} = ${value ?? '(not there yet)'}`).join('\n'))
  return 0
}
