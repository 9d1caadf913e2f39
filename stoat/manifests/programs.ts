import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'
import {
  locked,
  lockedWritable,
  metaOf,
  plainEnv,
  podSecurity,
  resources,
  secretEnv,
} from '@infra/shared/platform/manifests'
import type { StoatEnv } from '../env/env.ts'
import { stoatSecret } from '../keys.ts'
import { digestOf } from '../open-values.ts'
import { imagesOf, releaseOf } from '../releases.ts'
import { type StoatService, servicesOf, stores, webService } from '../services.ts'
import { urlsOf } from '../urls.ts'
import { checksum, configMaps } from './config.ts'
import { revoltToml } from './revolt-toml.ts'

type Fields = { readonly [field: string]: KubeValue }
type Program = StoatService & { readonly key: ReturnType<typeof servicesOf>[number]['key'] }

/** The user of the distroless images of the backend. */
const nonroot = 65_532

/** Everybody may read them, or a program that is not root could not. */
const readable = 0o444

/** The Deployments and Services of a wave. */
export function programObjects(env: StoatEnv, wave: StoatService['wave']): KubeObject[] {
  const programs = servicesOf(wave).flatMap((program) => [...serviceFor(program), deploymentOf(env, program)])
  return wave === 'rest' ? [...programs, ...webObjects(env)] : programs
}

/** The names of the workloads of a wave, as rollouts know them. */
export function workloadsOf(wave: StoatService['wave']): `deployment/${string}`[] {
  const names = servicesOf(wave).map(({ name }) => name)
  return [...names, ...(wave === 'rest' ? [webService.name] : [])].map(
    (name): `deployment/${string}` => `deployment/${name}`,
  )
}

function serviceFor({ name, port }: Program): KubeObject[] {
  return port ? [serviceOn(name, { http: { port: port.service, targetPort: port.listens } })] : []
}

/** A Service whose ports lead to others of the container. `more` of its spec; inside the cluster unless that says otherwise. */
export function serviceOn(
  name: string,
  ports: Readonly<Record<string, { readonly port: number; readonly targetPort: number }>>,
  more: Fields = {},
  annotations?: Readonly<Record<string, string>>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(name, annotations ? { annotations } : {}),
    spec: {
      type: 'ClusterIP',
      ...more,
      selector: { app: name },
      ports: Object.entries(ports).map(([port, numbers]) => ({ name: port, protocol: 'TCP', ...numbers })),
    },
  }
}

function deploymentOf(env: StoatEnv, program: Program): KubeObject {
  const { name, key, single, secrets, health } = program
  const annotations = {
    'infra/config': checksum(revoltToml(env)),
    ...(secrets && { 'infra/secrets': digestOf(key === 'api' ? 'api' : 'services') }),
  }
  return deployment(name, {
    strategy: single ? { type: 'Recreate' } : surging,
    // Without a probe a program that is about to give up counts as ready: it has to stay for a while.
    ...(health === 'none' && { minReadySeconds: 5 }),
    annotations,
    spec: {
      // With a bare host name the api fails the checks of strict mail servers; the whole one must fit into 64 characters.
      ...(key === 'api' && { hostname: name, subdomain: name, setHostnameAsFQDN: true }),
      securityContext: podSecurity(nonroot),
      ...(key === 'api' && { initContainers: [exchangesWait(env)] }),
      containers: [containerOf(env, program)],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'config', configMap: { name: configMaps.services, defaultMode: readable } },
        ...(secrets
          ? [
              {
                name: 'secrets',
                secret: {
                  secretName: stoatSecret,
                  defaultMode: readable,
                  items: [{ key: 'Revolt.overrides.toml', path: 'Revolt.overrides.toml' }],
                },
              },
            ]
          : []),
      ],
    },
  })
}

function containerOf(env: StoatEnv, { name, key, port, health, resources: range, secrets }: Program): Fields {
  const read = (volume: string, file: string, folder: string) => ({
    name: volume,
    mountPath: `${folder}/${file}`,
    subPath: file,
    readOnly: true,
  })
  return {
    name,
    image: imagesOf(env)[key],
    ...(port && { ports: [{ name: 'http', containerPort: port.listens, protocol: 'TCP' }] }),
    ...probesOf(key, health),
    resources: resources(range),
    securityContext: locked,
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      read('config', 'Revolt.toml', ''),
      ...(secrets ? [read('secrets', 'Revolt.overrides.toml', '/home/nonroot')] : []),
    ],
  }
}

/** The api migrates the database before it listens: that may take minutes, and must not be cut off. */
function probesOf(key: string, health: StoatService['health']): Fields {
  if (health === 'none') return {}
  const look: Fields =
    health === 'http' ? { httpGet: { path: '/', port: 'http', scheme: 'HTTP' } } : { tcpSocket: { port: 'http' } }
  return {
    startupProbe: { ...look, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: key === 'api' ? 300 : 60 },
    readinessProbe: { ...look, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...look, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 5 },
  }
}

/** How long the api waits for the exchanges, in seconds: after that it starts all the same, since an image of your own may have others. */
const patienceSeconds = 120

/**
 * Before the api starts, whenever that is: the exchanges and queues that crond and pushd declare are there. An api that
 * publishes to one that is not there loses its channel for good. Asked in bash, which the image of RabbitMQ has.
 */
function exchangesWait(env: StoatEnv): Fields {
  const { name, ports } = stores.rabbitmq
  const { exchanges, queues } = releaseOf(env).declares
  const declared = [
    ...exchanges.map((exchange) => `exchanges/%2F/${exchange}`),
    ...queues.map((queue) => `queues/%2F/${queue}`),
  ]
  const script = `there() {
  exec 3<>/dev/tcp/${name}/${ports.management} || return 1
  printf 'GET /api/%s HTTP/1.0\\r\\nAuthorization: Basic %s\\r\\n\\r\\n' "$1" "$(printf '%s:%s' "$rabbitmq_user" "$rabbitmq_password" | base64 -w0)" >&3
  read -r _ code _ <&3
  exec 3>&-
  [ "$code" = 200 ]
}
for _ in {1..${patienceSeconds}}; do
  missing=
  for what in ${declared.join(' ')}; do
    there "$what" 2>/dev/null || missing="$missing $what"
  done
  [ -n "$missing" ] || exit 0
  sleep 1
done
echo "not declared after ${patienceSeconds} seconds, starting all the same:$missing"`
  return {
    name: 'wait-for-exchanges',
    image: env.STOAT_RABBITMQ_IMAGE,
    command: ['bash', '-c', script],
    env: secretEnv(stoatSecret, ['rabbitmq_user', 'rabbitmq_password']),
    resources: resources({ memory: '32Mi..128Mi', cpu: '50m..250m' }),
    securityContext: locked,
  }
}

/** The web client writes its page at its start, as root and into its own root. */
function webObjects(env: StoatEnv): KubeObject[] {
  const { name, port, resources: range } = webService
  const { app, api, events, autumn, january, gifbox } = urlsOf(env)
  const look = { httpGet: { path: '/', port: 'http', scheme: 'HTTP' } }
  return [
    serviceOn(name, { http: { port, targetPort: port } }),
    deployment(name, {
      strategy: surging,
      spec: {
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name,
            image: imagesOf(env).web,
            ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
            env: plainEnv({
              HOSTNAME: app,
              REVOLT_PUBLIC_URL: api,
              VITE_API_URL: api,
              VITE_WS_URL: events,
              VITE_MEDIA_URL: autumn,
              VITE_PROXY_URL: january,
              VITE_GIFBOX_URL: gifbox,
              VITE_HCAPTCHA_SITEKEY: env.STOAT_HCAPTCHA_SITEKEY,
              VITE_CFG_MAX_FILE_SIZE: env.STOAT_UPLOAD_LIMIT_MB * 1_000_000,
            }),
            startupProbe: { ...look, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60 },
            readinessProbe: { ...look, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
            livenessProbe: { ...look, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 5 },
            resources: resources(range),
            securityContext: lockedWritable,
          },
        ],
      },
    }),
  ]
}

const surging: Fields = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }

interface DeploymentOptions {
  readonly strategy: Fields
  readonly minReadySeconds?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec: Fields
}

/** One replica, known by its label `app`, without the variables that Kubernetes makes of every Service. */
export function deployment(
  name: string,
  { strategy, minReadySeconds, annotations, spec }: DeploymentOptions,
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metaOf(name),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      strategy,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      template: {
        metadata: { labels: { app: name }, ...(annotations && { annotations }) },
        spec: { automountServiceAccountToken: false, enableServiceLinks: false, ...spec },
      },
    },
  }
}
