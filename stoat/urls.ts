import type { StoatEnv } from './env/env.ts'

/** Every address of Stoat, as its users and its own programs know it. */
export interface StoatUrls {
  readonly app: string
  readonly api: string
  readonly events: string
  readonly autumn: string
  readonly january: string
  readonly gifbox: string
}

/** Where `kubectl port-forward service/stoat-caddy 8080:80` makes it answer. */
const forwarded = 'localhost:8080'

/**
 * The only place where addresses are made: all of them follow from STOAT_DOMAIN and STOAT_TLS. Without TLS Stoat is
 * reached by a port-forward, whatever its domain.
 */
export function urlsOf({ STOAT_DOMAIN, STOAT_TLS }: Pick<StoatEnv, 'STOAT_DOMAIN' | 'STOAT_TLS'>): StoatUrls {
  const plain = STOAT_TLS === 'none'
  const host = plain ? forwarded : STOAT_DOMAIN
  const app = `${plain ? 'http' : 'https'}://${host}`
  return {
    app,
    api: `${app}/api`,
    events: `${plain ? 'ws' : 'wss'}://${host}/ws`,
    autumn: `${app}/autumn`,
    january: `${app}/january`,
    gifbox: `${app}/gifbox`,
  }
}
