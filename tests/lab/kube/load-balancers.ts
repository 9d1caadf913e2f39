import type { KubeLab } from './kube.ts'

const finalizer = 'service.kubernetes.io/load-balancer-cleanup'

type Service = {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly finalizers?: readonly string[]
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly type: string }
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } }
}

/** What a cloud does for Services of type LoadBalancer. */
export type LoadBalancers = {
  /** None is made from now on, for this reason, which stands in an event of the Service; undefined: they are made again. */
  refuse(why: string | undefined): void
  stop(): Promise<void>
}

/**
 * Makes a load balancer for each such Service, as DigitalOcean's controller does: after a while its address, the node's, is
 * in the status; a finalizer keeps the Service until the load balancer is gone, which it also is when the type changes.
 */
export function startLoadBalancers(kube: KubeLab, { delayMs = 1000 } = {}): LoadBalancers {
  const { api } = kube
  const due = new Map<string, number>()
  let refused: string | undefined
  const path = ({ metadata }: Service) => `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}`

  const tend = async (service: Service) => {
    const { namespace, name, finalizers = [], deletionTimestamp } = service.metadata
    const key = `${namespace}/${name}`
    const isWanted = service.spec.type === 'LoadBalancer' && deletionTimestamp === undefined
    const has = (service.status.loadBalancer?.ingress ?? []).length > 0
    if (!isWanted) {
      due.delete(key)
      if (has && deletionTimestamp === undefined) await clear(service)
      if (finalizers.includes(finalizer)) await setFinalizers(service, [])
      return
    }
    if (!finalizers.includes(finalizer)) await setFinalizers(service, [finalizer])
    if (has) return
    if (refused !== undefined) return tell(service, refused)
    const at = due.get(key) ?? Date.now() + delayMs
    due.set(key, at)
    if (Date.now() < at) setTimeout(changed, at - Date.now()).unref()
    else await kube.setLoadBalancerAddress(namespace, name)
  }
  const setFinalizers = (service: Service, list: readonly string[]) =>
    api.ask('PATCH', path(service), { metadata: { finalizers: list } })
  const clear = (service: Service) =>
    api.ask('PATCH', `${path(service)}/status`, { status: { loadBalancer: { ingress: null } } })
  const told = new Set<string>()
  const tell = async ({ metadata: { namespace, name } }: Service, why: string) => {
    if (told.has(`${namespace}/${name} ${why}`)) return
    told.add(`${namespace}/${name} ${why}`)
    await api.ask('POST', `/api/v1/namespaces/${namespace}/events`, {
      metadata: { generateName: `${name}-`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Service', namespace, name },
      ...{ type: 'Warning', reason: 'SyncLoadBalancerFailed', message: `Error syncing load balancer: ${why}` },
      source: { component: 'service-controller' },
      firstTimestamp: new Date().toISOString(),
      lastTimestamp: new Date().toISOString(),
    })
  }

  // One look at a time, and one more when something has changed meanwhile.
  let looking: Promise<void> | undefined
  let again = false
  const look = async () => {
    do {
      again = false
      const list = await api.ask<{ items: readonly Service[] }>('GET', '/api/v1/services').catch(() => undefined)
      for (const service of list?.items ?? []) await tend(service).catch(() => {})
    } while (again)
    looking = undefined
  }
  const changed = () => {
    if (looking === undefined) looking = look()
    else again = true
  }
  const end = api.watch('/api/v1/services', changed)
  return {
    refuse(why) {
      refused = why
      changed()
    },
    async stop() {
      end()
      await looking
    },
  }
}
