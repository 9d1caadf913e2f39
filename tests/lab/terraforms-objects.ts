// As hashicorp/kubernetes 2.38 left them in a cluster that Terraform 1.11 had applied to, without what the API server adds:
// the provider says many defaults itself, and so owns them.
const app = { app: 'discord-bot' }
const meta = (name: string) => ({ name, namespace: 'discord-bot' })
const secret = (name: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: 'discord-bot-secrets', key: name, optional: false } },
})
const probe = (path: string, initialDelaySeconds: number, periodSeconds: number) => ({
  httpGet: { path, port: 3000, scheme: 'HTTP' },
  ...{ initialDelaySeconds, periodSeconds, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
})
const container = {
  name: 'discord-bot',
  image: 'redis:7',
  imagePullPolicy: 'IfNotPresent',
  command: ['sleep', '1000000'],
  env: [
    ...['DISCORD_TOKEN', 'LITELLM_API_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map(secret),
    { name: 'MAX_CONCURRENT_THREADS', value: '5' },
    { name: 'STALENESS_MINUTES', value: '20' },
  ],
  ports: [{ name: 'http', containerPort: 3000, protocol: 'TCP' }],
  livenessProbe: probe('/health', 10, 30),
  readinessProbe: probe('/ready', 5, 10),
  resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
  ...{ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
}
const pod = {
  ...{ automountServiceAccountToken: true, enableServiceLinks: true, shareProcessNamespace: false },
  ...{ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' },
  ...{ securityContext: {}, terminationGracePeriodSeconds: 30 },
  imagePullSecrets: [{ name: 'ecr-registry' }],
  containers: [container],
}

/** Whom the API server knows as the maker of what Terraform's provider has made. */
export const terraformsName = 'HashiCorp'

/** What the provider adds to the claim template of a StatefulSet: also a namespace, which is not that of its claims. */
export const terraformsTemplate = <T extends { metadata: object; spec: object }>({ metadata, spec }: T) => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  metadata: { ...metadata, namespace: 'default' },
  spec: { ...spec, volumeMode: 'Filesystem' },
})

/** A bot, of another program, and rights of its sandbox as the original's Terraform made them, but for who made them. */
export const terraformsObjects = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...meta('discord-bot'), labels: app },
    spec: {
      ...{ replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10 },
      selector: { matchLabels: app },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels: app }, spec: pod },
    },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'sandbox-reader' },
    rules: [{ apiGroups: ['', 'apps', 'batch', 'extensions'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
  },
]
