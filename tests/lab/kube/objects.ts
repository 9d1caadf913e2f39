// Objects that the lab's own tests put into a cluster.

type Container = Readonly<Record<string, unknown>>

/** A busybox container that does not ask any registry. */
export const busyboxContainer = (name: string, command: string, more: Container = {}) => ({
  ...{ name, image: 'busybox:1', imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', command] },
  ...more,
})

/** A pod of one container. */
export const pod = (name: string, container: Container, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers: [container], ...more },
})

/** A Service of the objects with the label `app: NAME`. */
export const service = (name: string, port: number, targetPort: number, type = 'ClusterIP') => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { type, selector: { app: name }, ports: [{ port, targetPort }] },
})

/** A Deployment of web servers that tell their own name. */
export const webDeployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          busyboxContainer(
            name,
            'mkdir /tmp/w; hostname >/tmp/w/index.html; echo serving; httpd -f -p 8080 -h /tmp/w',
            {
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            },
          ),
        ],
      },
    },
  },
})

/** redis as a cluster keeps it: append-only, in a volume of its own, without root. */
export const redisSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'redis', namespace: 'default' },
  spec: {
    serviceName: 'redis',
    replicas: 1,
    selector: { matchLabels: { app: 'redis' } },
    template: {
      metadata: { labels: { app: 'redis' } },
      spec: {
        terminationGracePeriodSeconds: 5,
        securityContext: { runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
        containers: [
          {
            ...{ name: 'redis', image: 'redis:7', imagePullPolicy: 'IfNotPresent' },
            command: ['redis-server', '--appendonly', 'yes', '--dir', '/data'],
            securityContext: {
              ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
              capabilities: { drop: ['ALL'] },
            },
            readinessProbe: { exec: { command: ['redis-cli', 'ping'] }, periodSeconds: 1 },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'do-block-storage',
          resources: { requests: { storage: '1Gi' } },
        },
      },
    ],
  },
}
