import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'
import { locked, metaOf, podSecurity, type Resources, resources, service } from '@infra/shared/platform/manifests'
import type { StoatEnv } from '../env/env.ts'
import { stoatSecret } from '../keys.ts'
import { digestOf } from '../open-values.ts'
import { stores } from '../services.ts'
import { checksum, configMaps, rabbitmqConf } from './config.ts'

type Fields = { readonly [field: string]: KubeValue }

/** The stores that run in the cluster: not MinIO, where the files are in an S3 of the user's. */
export function storeObjects(env: StoatEnv): KubeObject[] {
  return [...mongodb(env), ...rabbitmq(env), ...(env.STOAT_S3_ENDPOINT === undefined ? minio(env) : [])]
}

/** Their workloads, as rollouts know them. */
export const storeWorkloads = (env: StoatEnv): `statefulset/${string}`[] =>
  storeObjects(env)
    .filter(({ kind }) => kind === 'StatefulSet')
    .map(({ metadata }): `statefulset/${string}` => `statefulset/${metadata.name}`)

/** The variables that their volumes follow from, for messages. */
export const claimVariables = {
  [stores.mongodb.name]: { size: 'STOAT_MONGODB_STORAGE', storageClass: 'STORAGE_CLASS' },
  [stores.rabbitmq.name]: { size: 'STOAT_RABBITMQ_STORAGE', storageClass: 'STORAGE_CLASS' },
  [stores.minio.name]: { size: 'STOAT_MINIO_STORAGE', storageClass: 'STORAGE_CLASS' },
}

function mongodb(env: StoatEnv): KubeObject[] {
  const { name, ports, resources: range, user } = stores.mongodb
  return [
    service(name, name, ports),
    store(env, {
      name,
      user,
      size: env.STOAT_MONGODB_STORAGE,
      mountPath: '/data/db',
      range,
      container: {
        image: env.STOAT_MONGODB_IMAGE,
        // Where mongosh keeps its history: it may write nowhere else.
        env: [{ name: 'HOME', value: '/tmp' }],
        ports: portsOf(ports),
        readinessProbe: {
          exec: { command: ['mongosh', '--quiet', '--eval', 'db.adminCommand("ping").ok'] },
          ...{ initialDelaySeconds: 2, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 3 },
        },
        livenessProbe: {
          tcpSocket: { port: 'mongodb' },
          initialDelaySeconds: 30,
          periodSeconds: 30,
          timeoutSeconds: 10,
        },
      },
    }),
  ]
}

function rabbitmq(env: StoatEnv): KubeObject[] {
  const { name, ports, resources: range, user } = stores.rabbitmq
  return [
    service(name, name, ports),
    store(env, {
      name,
      user,
      size: env.STOAT_RABBITMQ_STORAGE,
      // Not all of /var/lib/rabbitmq: the cookie in it must be readable for its owner only, which the group of a volume undoes.
      mountPath: '/var/lib/rabbitmq/mnesia',
      range,
      annotations: { 'infra/config': checksum(rabbitmqConf), 'infra/secrets': digestOf('rabbitmq') },
      volumes: [
        { name: 'home', emptyDir: {} },
        { name: 'config', configMap: { name: configMaps.rabbitmq, defaultMode: 0o444 } },
        {
          name: 'definitions',
          secret: {
            secretName: stoatSecret,
            defaultMode: 0o444,
            items: [{ key: 'rabbitmq-definitions.json', path: 'definitions.json' }],
          },
        },
      ],
      container: {
        image: env.STOAT_RABBITMQ_IMAGE,
        ports: portsOf(ports),
        // The port opens before the broker serves.
        readinessProbe: {
          exec: { command: ['rabbitmq-diagnostics', '-q', 'check_port_connectivity'] },
          ...{ initialDelaySeconds: 5, periodSeconds: 15, timeoutSeconds: 15, failureThreshold: 3 },
        },
        livenessProbe: { tcpSocket: { port: 'amqp' }, initialDelaySeconds: 60, periodSeconds: 30, timeoutSeconds: 10 },
        securityContext: { ...locked, readOnlyRootFilesystem: false },
      },
      mounts: [
        { name: 'home', mountPath: '/var/lib/rabbitmq' },
        { name: 'config', mountPath: '/etc/rabbitmq/conf.d/20-stoat.conf', subPath: '20-stoat.conf', readOnly: true },
        { name: 'definitions', mountPath: '/etc/rabbitmq/stoat', readOnly: true },
      ],
    }),
  ]
}

function minio(env: StoatEnv): KubeObject[] {
  const { name, ports, resources: range, user } = stores.minio
  const variable = (variableName: string, key: string): Fields => ({
    name: variableName,
    valueFrom: { secretKeyRef: { name: stoatSecret, key } },
  })
  return [
    service(name, name, ports),
    store(env, {
      name,
      user,
      size: env.STOAT_MINIO_STORAGE,
      mountPath: '/data',
      range,
      annotations: { 'infra/secrets': digestOf('minio') },
      container: {
        image: env.STOAT_MINIO_IMAGE,
        args: ['server', '/data', '--console-address', `:${ports.console}`],
        env: [variable('MINIO_ROOT_USER', 'minio_user'), variable('MINIO_ROOT_PASSWORD', 'minio_password'), home],
        ports: portsOf(ports),
        readinessProbe: {
          httpGet: { path: '/minio/health/ready', port: 's3', scheme: 'HTTP' },
          ...{ initialDelaySeconds: 1, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
        },
        livenessProbe: {
          httpGet: { path: '/minio/health/live', port: 's3', scheme: 'HTTP' },
          ...{ initialDelaySeconds: 30, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 },
        },
      },
    }),
  ]
}

const home: Fields = { name: 'HOME', value: '/tmp' }

const portsOf = (ports: Readonly<Record<string, number>>): Fields[] =>
  Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' }))

interface Store {
  readonly name: string
  readonly user: number
  readonly size: string
  readonly mountPath: string
  readonly range: Resources
  readonly container: Fields
  readonly annotations?: Readonly<Record<string, string>>
  readonly volumes?: readonly Fields[]
  readonly mounts?: readonly Fields[]
}

/** One pod with a volume of its own. Its name stays, and with it what data is kept under. */
function store(env: StoatEnv, options: Store): KubeObject {
  const { name, user, size, mountPath, range, container, annotations, volumes = [], mounts = [] } = options
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metaOf(name),
    spec: {
      replicas: 1,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, ...(annotations && { annotations }) },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurity(user),
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name,
              resources: resources(range),
              securityContext: locked,
              ...container,
              volumeMounts: [...mounts, { name: 'data', mountPath }, { name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }, ...volumes],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: env.STORAGE_CLASS,
            resources: { requests: { storage: size } },
          },
        },
      ],
    },
  }
}
