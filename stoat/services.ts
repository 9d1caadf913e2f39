import type { Resources } from '@infra/shared/platform/manifests'

type Store = 'mongodb' | 'rabbitmq' | 'minio'

/** One of Stoat's own programs: all that its objects are made of. */
export interface StoatService {
  /** Its Deployment, its Service, and the value of its label `app`. */
  readonly name: string
  readonly about: string
  /** Where it listens; none for what only works on queues and schedules. */
  readonly port?: { readonly listens: number; readonly service: number }
  /** How it is asked whether it lives: `GET /` says nothing of what it depends on. */
  readonly health: 'http' | 'tcp' | 'none'
  /** Programs of one wave start together; the next wave starts when they are ready. */
  readonly wave: 'workers' | 'api' | 'rest'
  readonly resources: Resources
  /** The stores that it may connect to. */
  readonly stores: readonly Store[]
  readonly redis: boolean
  /** Reads the secret part of the configuration too. */
  readonly secrets: boolean
  /** Two of it must never run at a time: its pods end before others begin. */
  readonly single: boolean
}

const worker = { health: 'none', wave: 'workers', redis: true, secrets: true, single: true } as const
const small: Resources = { memory: '128Mi..512Mi', cpu: '50m..250m' }
const medium: Resources = { memory: '256Mi..1Gi', cpu: '100m..500m' }
const proxy: Resources = { memory: '128Mi..1Gi', cpu: '100m..250m' }

/**
 * The one table of Stoat's programs. The original's names, Service ports and resources; the ports behind the Services
 * and the order are those that the programs really have: crond and pushd declare the exchanges that the api publishes
 * to, and an api that started before them answers 500 to every acknowledgement until it starts anew.
 */
export const stoatServices = {
  crond: {
    ...worker,
    name: 'stoat-crond',
    about: 'scheduled tasks',
    resources: small,
    stores: ['mongodb', 'rabbitmq', 'minio'],
  },
  pushd: {
    ...worker,
    name: 'stoat-pushd',
    about: 'push notifications',
    resources: small,
    stores: ['mongodb', 'rabbitmq'],
  },
  api: {
    name: 'stoat-api',
    about: 'API server',
    port: { listens: 14702, service: 3000 },
    health: 'http',
    wave: 'api',
    resources: { memory: '512Mi..2Gi', cpu: '250m..1' },
    stores: ['mongodb', 'rabbitmq'],
    redis: true,
    secrets: true,
    single: true,
  },
  events: {
    name: 'stoat-events',
    about: 'WebSocket events',
    port: { listens: 14703, service: 3000 },
    health: 'tcp',
    wave: 'rest',
    resources: medium,
    stores: ['mongodb'],
    redis: true,
    secrets: true,
    single: false,
  },
  autumn: {
    name: 'stoat-autumn',
    about: 'file server',
    port: { listens: 14704, service: 3000 },
    health: 'http',
    wave: 'rest',
    // Its caches take up to 3Gi.
    resources: { memory: '256Mi..3Gi', cpu: '100m..500m' },
    stores: ['mongodb', 'minio'],
    redis: false,
    secrets: true,
    single: false,
  },
  january: {
    name: 'stoat-january',
    about: 'metadata proxy',
    port: { listens: 14705, service: 3000 },
    health: 'http',
    wave: 'rest',
    resources: proxy,
    stores: [],
    redis: false,
    // It fetches what strangers name: it gets no secret.
    secrets: false,
    single: false,
  },
  gifbox: {
    name: 'stoat-gifbox',
    about: 'GIF proxy',
    port: { listens: 14706, service: 3000 },
    health: 'http',
    wave: 'rest',
    resources: { memory: '128Mi..512Mi', cpu: '100m..250m' },
    stores: ['mongodb'],
    redis: false,
    secrets: true,
    single: false,
  },
} as const satisfies Record<string, StoatService>

/** The web client is not a program of the backend: it reads no configuration but its environment. */
export const webService = {
  name: 'stoat-web',
  about: 'web client',
  port: 5000,
  resources: { memory: '128Mi..512Mi', cpu: '100m..500m' },
} as const

/** Caddy, before all of them. Its Service is on 80 and 443; the container needs no privilege for its ports. */
export const caddyService = {
  name: 'stoat-caddy',
  http: { listens: 8080, service: 80 },
  https: { listens: 8443, service: 443 },
  resources: { memory: '128Mi..512Mi', cpu: '100m..500m' },
} as const

/** The stores, which are StatefulSets. */
export const stores = {
  mongodb: {
    name: 'stoat-mongodb',
    ports: { mongodb: 27017 },
    resources: { memory: '512Mi..2Gi', cpu: '250m..1' },
    user: 999,
  },
  rabbitmq: {
    name: 'stoat-rabbitmq',
    ports: { amqp: 5672, management: 15672 },
    resources: { memory: '512Mi..1Gi', cpu: '250m..500m' },
    user: 999,
  },
  minio: {
    name: 'stoat-minio',
    ports: { s3: 9000, console: 9001 },
    resources: { memory: '512Mi..1Gi', cpu: '250m..500m' },
    user: 1000,
  },
} as const satisfies Record<Store, unknown>

/** Says where the canary file is. */
export const canaryConfigMap = 'stoat-canary'

/** Says which backup is the newest. */
export const backupConfigMap = 'stoat-backup'

/** Says that a restore has begun and not come to its end. */
export const restoreConfigMap = 'stoat-restore'

/** The Job that makes the bucket. */
export const bucketJob = 'stoat-minio-create-buckets'

/** Those of a wave, in the table's order. */
export const servicesOf = (wave: StoatService['wave']) =>
  Object.entries(stoatServices as Readonly<Record<string, StoatService>>)
    .filter(([, service]) => service.wave === wave)
    .map(([key, service]) => ({ key: key as keyof typeof stoatServices, ...service }))

/** The names of the programs that connect to a store. */
export const clientsOf = (store: Store): string[] =>
  Object.values(stoatServices as Readonly<Record<string, StoatService>>)
    .filter(({ stores }) => stores.includes(store))
    .map(({ name }) => name)
