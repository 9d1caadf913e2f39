import { namespace } from '@infra/shared/platform/names'
import type { StoatLab } from '../stoat-world.ts'

/** How the objects of the original's Terraform look: they are written by the field manager of its provider. */
export const maker = 'HashiCorp'

const registry = 'public.ecr.aws/docker/library'
const sleeps = ['sh', '-c', 'trap exit TERM; sleep 1000000 & wait']

const meta = (name: string) => ({ name, namespace, labels: { app: name } })

type Fields = { readonly [field: string]: unknown }

interface Workload {
  readonly name: string
  readonly container: Fields
  readonly pod?: Fields
  readonly sidecars?: readonly Fields[]
}

/** As the provider writes a Deployment: a rolling one, whatever its volumes are. */
const deployment = ({ name, container, pod = {}, sidecars = [] }: Workload) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta(name),
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 10, ...pod, containers: [container, ...sidecars] },
    },
  },
})

const service = (name: string, ports: readonly number[], type = 'ClusterIP') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name),
  spec: { type, selector: { app: name }, ports: ports.map((port) => ({ name: `p${port}`, port, targetPort: port })) },
})

const claim = (name: string, storage: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'do-block-storage', resources: { requests: { storage } } },
})

/** The claims of the original's stores. */
export const claims = { mongodb: 'mongodb-data', minio: 'stoat-minio-pvc', rabbitmq: 'stoat-rabbitmq-data' } as const

const volumeOf = (claimName: string) => ({ volumes: [{ name: 'store', persistentVolumeClaim: { claimName } }] })
const mount = (mountPath: string, more: object = {}) => [{ name: 'store', mountPath, ...more }]

/** The keys as the original's variables name them. */
export interface OriginalKeys {
  readonly encryption: string
  readonly vapid: string
  readonly rabbitmq: string
  readonly minio: string
}

const revoltToml = ({ encryption, vapid, rabbitmq, minio }: OriginalKeys) => `[database]
mongodb = "mongodb://stoat-mongodb:27017"
[rabbit]
host = "stoat-rabbitmq"
username = "rabbituser"
password = "${rabbitmq}"
[pushd.vapid]
private_key = "${vapid}"
[files]
encryption_key = "${encryption}" # of random_password
[files.s3]
access_key_id = "minioautumn"
secret_access_key = '${minio}'
`

/** The stores, with their data on volumes of their own; the broker and the programs only as far as they are adopted. */
function workloads({ minio }: OriginalKeys): Workload[] {
  const image = 'quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z'
  const idle = (name: string, more: Fields = {}): Fields => ({ name, image, command: sleeps, ...more })
  const s3 = { MINIO_ROOT_USER: 'minioautumn', MINIO_ROOT_PASSWORD: minio }
  const readinessProbe = { httpGet: { path: '/minio/health/ready', port: 9000 }, periodSeconds: 1 }
  const ping = { exec: { command: ['mongosh', '--quiet', '--eval', '1'] }, periodSeconds: 2, timeoutSeconds: 15 }
  return [
    {
      name: 'stoat-mongodb',
      container: {
        name: 'mongodb',
        image: `${registry}/mongo:7`,
        volumeMounts: mount('/data/db/'),
        readinessProbe: ping,
      },
      pod: { securityContext: { runAsUser: 999, fsGroup: 999 }, ...volumeOf(claims.mongodb) },
    },
    {
      name: 'stoat-minio',
      container: {
        name: 'minio',
        image: 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z',
        args: ['server', '/data'],
        env: Object.entries(s3).map(([name, value]) => ({ name, value })),
        volumeMounts: mount('/data', { subPath: 'files' }),
        readinessProbe,
      },
      pod: volumeOf(claims.minio),
    },
    {
      name: 'stoat-rabbitmq',
      container: idle('rabbitmq', { volumeMounts: mount('/var/lib/rabbitmq') }),
      pod: volumeOf(claims.rabbitmq),
    },
    {
      name: 'stoat-api',
      container: idle('api', {
        ports: [{ name: 'http', containerPort: 3000 }],
        env: [
          { name: 'REVOLT__API__REGISTRATION__INVITE_ONLY', value: 'true' },
          { name: 'PROXY_OF_US', value: 'hush-hush' },
        ],
      }),
      sidecars: [idle('metrics')],
      pod: {
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        volumes: [{ name: 'theirs', hostPath: { path: '/opt/theirs' } }],
      },
    },
    { name: 'stoat-web', container: idle('web') },
  ]
}

/**
 * Puts what the original's Terraform makes in the place of a Stoat that was taken away: the data of its volumes on claims of
 * other names and sizes, its keys under the names that the original has for them. The stores run.
 */
export async function makeOriginal(lab: StoatLab, keys: OriginalKeys): Promise<void> {
  const { inSpace } = lab
  const place = async (name: string) =>
    `/var/lib/lab-volumes/${await inSpace(`get pvc/${name} -o jsonpath={.spec.volumeName}`)}`
  const before = { mongodb: await place('data-stoat-mongodb-0'), minio: await place('data-stoat-minio-0') }
  await lab.as(maker, claim(claims.mongodb, '12Gi'), claim(claims.minio, '21Gi'), claim(claims.rabbitmq, '5Gi'))
  await inSpace(
    `wait ${Object.values(claims)
      .map((name) => `pvc/${name}`)
      .join(' ')} --for=jsonpath={.status.phase}=Bound --timeout=60s`,
  )
  const copy = async (from: string, to: string) => {
    const { code, stderr } = await lab.kube.run('sh', ['-ec', 'mkdir -p "$1" && cp -a "$0"/. "$1"/', from, to])
    if (code !== 0) throw new Error(stderr)
  }
  await copy(before.mongodb, await place(claims.mongodb))
  await copy(before.minio, `${await place(claims.minio)}/files`)
  await inSpace(
    'delete pvc/data-stoat-mongodb-0 pvc/data-stoat-minio-0 pvc/data-stoat-rabbitmq-0 secret/stoat-secrets --wait',
  )
  const { encryption, vapid } = keys
  const stringData = { STOAT_ENCRYPTION_KEY: encryption, 'vapid-private-key': `${vapid}=`, TENOR_KEY: 'unused' }
  await lab.as(
    maker,
    { apiVersion: 'v1', kind: 'Secret', metadata: meta('stoat-secrets'), stringData },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('stoat-config'), data: { 'Revolt.toml': revoltToml(keys) } },
    ...[service('stoat-mongodb', [27017]), service('stoat-api', [3000]), service('stoat-caddy', [80], 'LoadBalancer')],
    ...workloads(keys).map(deployment),
  )
  await inSpace('rollout status deployment/stoat-mongodb --timeout=600s')
  await inSpace('rollout status deployment/stoat-minio --timeout=600s')
}
