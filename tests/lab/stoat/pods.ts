import type { KubeLab } from '../kube/kube.ts'
import { until } from '../run.ts'
import { declared, type Platform, type ProgramName } from './platform.ts'
import { newSettings, publicToml, secretToml, storeUser } from './settings.ts'

const registry = 'public.ecr.aws/docker/library'
const backend = (name: string) => `ghcr.io/stoatchat/${name}:v0.13.8`

const programs: Readonly<Record<ProgramName, { readonly image: string; readonly port?: number }>> = {
  crond: { image: backend('crond') },
  pushd: { image: backend('pushd') },
  api: { image: backend('api'), port: 14702 },
  events: { image: backend('events'), port: 14703 },
  autumn: { image: backend('file-server'), port: 14704 },
  january: { image: backend('proxy'), port: 14705 },
  gifbox: { image: backend('gifbox'), port: 14706 },
}

const locked = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
}

const caddyfile = `{
	admin off
}
:8080 {
	@api path /api /api/*
	handle @api {
		uri strip_prefix /api
		reverse_proxy 127.0.0.1:14702 {
			header_up CF-Connecting-IP {client_ip}
		}
	}
	handle {
		reverse_proxy 127.0.0.1:5000
	}
}
`

type Container = { readonly name: string; readonly [field: string]: unknown }

/** The images as pods on the node's own network, as strict as the product's pods, without any of its manifests. */
export async function startPods(kube: KubeLab): Promise<Pick<Platform, 'url' | 'broker'> & { readonly site: string }> {
  const settings = newSettings()
  const broker = { url: `http://${kube.address}:15672`, password: settings.rabbitPassword }
  const apply = async (object: object) => {
    const { code, stderr } = await kube.kubectl(['apply', '-f', '-'], JSON.stringify(object))
    if (code !== 0) throw new Error(stderr)
  }
  const data = {
    'Revolt.toml': publicToml(settings, kube.address),
    'Revolt.overrides.toml': secretToml(settings),
    Caddyfile: caddyfile,
  }
  await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'files' }, data })
  const pod = async (name: string, container: Container, user: number | undefined, more: object = {}) => {
    const volumes = [
      { name: 'files', configMap: { name: 'files' } },
      ...['tmp', 'data'].map((name) => ({ name, emptyDir: {} })),
    ]
    const securityContext = user === undefined ? {} : { runAsUser: user, runAsGroup: user, fsGroup: user }
    const spec = {
      hostNetwork: true,
      terminationGracePeriodSeconds: 1,
      securityContext,
      volumes,
      containers: [container],
    }
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { ...spec, ...more } })
  }
  await startStores(pod, settings.rabbitPassword, settings.s3Secret)
  await ready(kube, ['mongo', 'redis', 'rabbitmq', 'minio'])
  await makeBucket(kube, pod, settings.s3Secret)
  const start = (names: readonly ProgramName[]) =>
    Promise.all(names.map((name) => pod(name, programContainer(name), 65532)))
  await start(['crond', 'pushd'])
  await declared({ broker })
  await start(['api', 'events', 'autumn', 'january', 'gifbox'])
  const web = {
    name: 'web',
    image: 'ghcr.io/stoatchat/for-web:746bee5',
    env: [{ name: 'VITE_API_URL', value: '/api' }],
  }
  await pod('web', { ...web, readinessProbe: { httpGet: { path: '/', port: 5000 }, periodSeconds: 1 } }, undefined)
  const binding = { ...locked, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }
  const mounts = [mount('files', '/etc/caddy'), mount('tmp', '/tmp'), mount('data', '/data')]
  const caddy = { name: 'caddy', image: `${registry}/caddy:2`, securityContext: binding, volumeMounts: mounts }
  await pod('caddy', { ...caddy, readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }, 1000)
  await ready(kube, [...Object.keys(programs), 'web', 'caddy'])
  const url = (name: ProgramName) => `http://${kube.address}:${programs[name].port ?? 0}`
  return { url, broker, site: `http://${kube.address}:8080` }
}

const mount = (name: string, mountPath: string, subPath?: string) => ({ name, mountPath, ...(subPath && { subPath }) })

type MakePod = (name: string, container: Container, user: number | undefined, more?: object) => Promise<void>

async function startStores(pod: MakePod, rabbitPassword: string, s3Secret: string): Promise<void> {
  const probe = (command: readonly string[]) => ({ exec: { command }, periodSeconds: 2, timeoutSeconds: 15 })
  const tmp = mount('tmp', '/tmp')
  const store = (name: string, image: string, user: number, more: object) =>
    pod(name, { name, image, securityContext: locked, ...more }, user)
  await store('mongo', `${registry}/mongo:7`, 999, {
    volumeMounts: [tmp, mount('data', '/data/db')],
    readinessProbe: probe(['mongosh', '--quiet', '--eval', 'db.adminCommand("ping").ok']),
  })
  await store('redis', 'docker.io/library/redis:7', 999, {
    args: ['redis-server', '--save', ''],
    volumeMounts: [tmp, mount('data', '/data')],
    readinessProbe: probe(['redis-cli', 'ping']),
  })
  await store('rabbitmq', `${registry}/rabbitmq:4.2-management`, 999, {
    securityContext: { ...locked, readOnlyRootFilesystem: false },
    env: [
      { name: 'RABBITMQ_DEFAULT_USER', value: storeUser },
      { name: 'RABBITMQ_DEFAULT_PASS', value: rabbitPassword },
      { name: 'RABBITMQ_NODENAME', value: 'rabbit@localhost' },
    ],
    volumeMounts: [mount('tmp', '/var/lib/rabbitmq'), mount('data', '/var/lib/rabbitmq/mnesia')],
    readinessProbe: probe(['rabbitmq-diagnostics', '-q', 'check_port_connectivity']),
  })
  await store('minio', 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z', 1000, {
    args: ['server', '/data', '--console-address', ':9001'],
    env: [
      { name: 'MINIO_ROOT_USER', value: storeUser },
      { name: 'MINIO_ROOT_PASSWORD', value: s3Secret },
    ],
    volumeMounts: [tmp, mount('data', '/data')],
    readinessProbe: { httpGet: { path: '/minio/health/ready', port: 9000 }, periodSeconds: 2 },
  })
}

// With wrong keys first: that must fail, loudly and with code 1.
async function makeBucket(kube: KubeLab, pod: MakePod, secret: string): Promise<void> {
  const set = 'printf "%s\\n%s\\n" "$KEY" "$SECRET" | mc alias set store http://127.0.0.1:9000'
  const script = `if SECRET=wrong; ${set}; then exit 9; fi; SECRET=$RIGHT; ${set} && mc mb --ignore-existing store/revolt-uploads && mc mb --ignore-existing store/revolt-uploads && mc ls store/revolt-uploads`
  const env = { KEY: storeUser, RIGHT: secret, HOME: '/tmp', MC_CONFIG_DIR: '/tmp/mc' }
  const container = {
    name: 'bucket',
    image: 'quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z',
    command: ['/bin/sh', '-c', script],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    securityContext: locked,
    volumeMounts: [mount('tmp', '/tmp')],
  }
  await pod('bucket', container, 1000, { restartPolicy: 'Never' })
  const phase = await until('the bucket', 60_000, async () => {
    const { stdout } = await kube.kubectl(['get', 'pod', 'bucket', '-o', 'jsonpath={.status.phase}'])
    return /Succeeded|Failed/.test(stdout) ? stdout : undefined
  })
  if (phase !== 'Succeeded') throw new Error((await kube.kubectl(['logs', 'bucket'])).stdout)
}

function programContainer(name: ProgramName): Container {
  const { image, port } = programs[name]
  return {
    name,
    image,
    securityContext: locked,
    volumeMounts: [
      mount('tmp', '/tmp'),
      mount('files', '/Revolt.toml', 'Revolt.toml'),
      mount('files', '/home/nonroot/Revolt.overrides.toml', 'Revolt.overrides.toml'),
    ],
    ...(port && { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } }),
  }
}

async function ready(kube: KubeLab, names: readonly string[]): Promise<void> {
  const pods = names.map((name) => `pod/${name}`)
  const { code, stderr } = await kube.kubectl(['wait', '--for=condition=Ready', '--timeout=600s', ...pods])
  if (code === 0) return
  const logs = await Promise.all(names.map((name) => kube.kubectl(['logs', name, '--tail=15'])))
  const seen = await kube.kubectl(['get', 'pods', '-o', 'wide'])
  throw new Error([stderr, seen.stdout, ...logs.map(({ stdout }) => stdout)].join('\n'))
}
