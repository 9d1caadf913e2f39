import { configMaps } from '../manifests/config.ts'
import { bucketJob, caddyService, stoatServices, stores, webService } from '../services.ts'

export type StoreName = keyof typeof stores

/** The names of Stoat's programs, whose Deployments hold nothing. */
export const programNames: readonly string[] = [
  caddyService.name,
  webService.name,
  ...Object.values(stoatServices).map(({ name }) => name),
]

/** The store that a workload of this name is; undefined of what is none. */
export const storeNamed = (name: string): StoreName | undefined =>
  (Object.keys(stores) as StoreName[]).find((store) => stores[store].name === name)

/** Whether a workload of this name is one of Stoat's. */
export const isStoats = (name: string): boolean => programNames.includes(name) || storeNamed(name) !== undefined

/** Objects beside the workloads that are made anew. The Service with the address in the cloud is none of them. */
export const renewed = {
  Job: [bucketJob],
  Service: [...programNames, ...Object.values(stores).map(({ name }) => name)],
  ConfigMap: [configMaps.services, configMaps.caddy],
} as const satisfies Readonly<Record<string, readonly string[]>>

/**
 * The stores whose volume is carried on, and the folder of the container in which their data lies. RabbitMQ is none of
 * them: it keeps its data under its host name, which is another one for each pod of a Deployment.
 */
export const carried = { mongodb: '/data/db', minio: '/data' } as const satisfies Partial<Record<StoreName, string>>

/** The claim that a store has here. */
export const claimOf = (store: StoreName): string => `data-${stores[store].name}-0`

/** Keeps what was taken away, as it was. */
export const copySecret = 'stoat-original'

/** On a volume: the claim that it is carried on for, while it is between two claims. */
export const carryLabel = 'infra/claim'
/** On such a volume: what its reclaim policy was. */
export const policyNote = 'infra/reclaim-policy'
