import { stoatServices, stores } from '../../stoat/services.ts'
import { closedPort } from './talkers.ts'

/** Of a policy: who gets through, and who does not although nothing else stands in the way. */
export interface Connections {
  readonly open: readonly string[]
  readonly closed: readonly string[]
}

/** The apps of both workspaces, one pod each in the lab, and the ports on which those serve. */
export const portsOf: Readonly<Record<string, readonly number[]>> = {
  'discord-bot': [3000],
  'dev-sandbox': [8777, 8778, 8779],
  'ecr-refresh': [],
  redis: [6379],
  'stoat-web': [5000],
  'stoat-caddy': [8080, 8443],
  'stoat-minio-create-buckets': [],
  ...Object.fromEntries(Object.values(stoatServices).map((one) => [one.name, 'port' in one ? [one.port.listens] : []])),
  ...Object.fromEntries(Object.values(stores).map(({ name, ports }) => [name, Object.values(ports)])),
}

/** Addresses outside of the cluster, all at the node: of a public host, and where clouds hand out credentials. */
export const outside = { public: '203.0.113.7', metadata: '169.254.169.254' } as const
/** The API server by its Service's name, which has to be looked up. */
const api = 'kubernetes.default.svc.cluster.local:443'
/** A Service of another namespace, on another port than the pods behind it. */
export const litellm = 'litellm.elsewhere.svc.cluster.local'
const stranger = 'elsewhere/impostor'

const here = (app: string) => (app.includes('/') ? app : `discord-bot/${app}`)
const inside = (app: string, port: number, ...from: string[]) =>
  from.map((one) => `${here(one)} > ${here(app)}:${port}`)
const out = (from: string, ...to: string[]) => to.map((one) => `${here(from)} > ${one}`)
const metadata = `${outside.metadata}:80`
const elsewhere = `${stranger}:${closedPort}`

const programs = Object.values(stoatServices).flatMap((one) => ('port' in one ? [one] : []))
const ours = ['discord-bot', 'dev-sandbox', 'redis', 'ecr-refresh']
const stoats = Object.keys(portsOf).filter((app) => app.startsWith('stoat-'))

/** By the name of each policy that is declared: connections that it lets through, and that are denied. */
export const connections: Readonly<Record<string, Connections>> = {
  'deny-ingress': {
    open: inside('plain', closedPort, 'stoat-api', stranger),
    closed: ours.flatMap((app) => inside(app, closedPort, 'stoat-api', stranger)),
  },
  'allow-bot-health': {
    open: inside('discord-bot', 3000, 'plain', stranger),
    closed: inside('discord-bot', closedPort, 'plain', stranger),
  },
  'allow-redis': {
    open: inside('redis', 6379, 'discord-bot', 'stoat-api', 'stoat-events', 'stoat-crond', 'stoat-pushd'),
    closed: [
      ...inside('redis', 6379, 'plain', 'stoat-web', 'stoat-caddy', 'stoat-autumn', stranger),
      ...inside('redis', closedPort, 'stoat-api'),
    ],
  },
  'allow-sandbox-mcp': {
    open: [8777, 8778, 8779].flatMap((port) => inside('dev-sandbox', port, 'discord-bot')),
    closed: [
      ...inside('dev-sandbox', 8779, 'plain', 'redis', 'stoat-api', stranger),
      ...inside('dev-sandbox', closedPort, 'stoat-api'),
    ],
  },
  'bot-egress': {
    open: out('discord-bot', `${outside.public}:80`, `${outside.public}:443`, `${litellm}:4000`),
    closed: [...out('discord-bot', metadata), ...inside('plain', closedPort, 'discord-bot')],
  },
  'sandbox-egress': {
    open: out('dev-sandbox', `${outside.public}:80`, `${outside.public}:${closedPort}`, api),
    closed: [
      ...out('dev-sandbox', metadata, elsewhere),
      ...inside('plain', closedPort, 'dev-sandbox'),
      ...inside('redis', 6379, 'dev-sandbox'),
      ...inside('stoat-mongodb', 27017, 'dev-sandbox'),
      ...inside('stoat-rabbitmq', 5672, 'dev-sandbox'),
      ...inside('stoat-minio', 9000, 'dev-sandbox'),
    ],
  },
  'ecr-refresh-egress': {
    open: out('ecr-refresh', `${outside.public}:443`, api),
    closed: [
      ...out('ecr-refresh', metadata, `${outside.public}:80`, elsewhere),
      ...inside('plain', closedPort, 'ecr-refresh'),
      ...inside('redis', 6379, 'ecr-refresh'),
    ],
  },
  'stoat-deny-ingress': {
    open: inside('plain', closedPort, 'stoat-caddy'),
    closed: stoats.flatMap((app) => inside(app, closedPort, 'plain')),
  },
  'allow-stoat-caddy': {
    open: [8080, 8443].flatMap((port) => inside('stoat-caddy', port, 'plain', stranger)),
    closed: inside('stoat-caddy', closedPort, stranger),
  },
  ...Object.fromEntries(
    [...programs.map(({ name, port }) => [name, port.listens] as const), ['stoat-web', 5000] as const].map(
      ([name, port]): [string, Connections] => [
        `allow-${name}`,
        {
          open: inside(name, port, 'stoat-caddy'),
          closed: [...inside(name, port, 'plain', 'stoat-crond', stranger), ...inside(name, closedPort, 'stoat-caddy')],
        },
      ],
    ),
  ),
  'allow-stoat-mongodb': {
    open: ['api', 'events', 'autumn', 'gifbox', 'crond', 'pushd'].flatMap((name) =>
      inside('stoat-mongodb', 27017, `stoat-${name}`),
    ),
    closed: [
      ...inside('stoat-mongodb', 27017, 'stoat-web', 'stoat-caddy', 'stoat-minio-create-buckets', 'plain', stranger),
      ...inside('stoat-mongodb', closedPort, 'stoat-api'),
    ],
  },
  'allow-stoat-rabbitmq': {
    open: [5672, 15672].flatMap((port) => inside('stoat-rabbitmq', port, 'stoat-api', 'stoat-crond', 'stoat-pushd')),
    closed: [5672, 15672].flatMap((port) =>
      inside('stoat-rabbitmq', port, 'stoat-events', 'stoat-autumn', 'stoat-caddy', 'plain', stranger),
    ),
  },
  'allow-stoat-minio': {
    open: inside('stoat-minio', 9000, 'stoat-autumn', 'stoat-crond', 'stoat-minio-create-buckets'),
    closed: [
      ...inside('stoat-minio', 9000, 'stoat-api', 'stoat-caddy', 'plain', stranger),
      ...inside('stoat-minio', 9001, 'stoat-autumn'),
    ],
  },
  'stoat-january-egress': {
    open: out('stoat-january', `${outside.public}:80`, `${outside.public}:443`),
    closed: [
      ...out('stoat-january', metadata, `${outside.public}:${closedPort}`, api, elsewhere),
      ...inside('plain', closedPort, 'stoat-january'),
      ...inside('redis', 6379, 'stoat-january'),
      ...inside('stoat-minio', 9000, 'stoat-january'),
    ],
  },
}
