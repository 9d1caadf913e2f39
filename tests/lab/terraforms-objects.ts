const manager = { app: 'discord-bot' }
const meta = (name: string) => ({ name, namespace: 'discord-bot' })
const container = {
  name: 'discord-bot',
  image: 'redis:7',
  command: ['sleep', '1000000'],
  env: [{ name: 'STALENESS_MINUTES', value: '20' }],
  ports: [{ containerPort: 3000 }],
}
/** A bot and rights of its sandbox as the original's Terraform made them, but for who made them. */
export const terraformsObjects = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...meta('discord-bot'), labels: manager },
    spec: {
      replicas: 1,
      selector: { matchLabels: manager },
      template: { metadata: { labels: manager }, spec: { containers: [container] } },
    },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'sandbox-reader' },
    rules: [{ apiGroups: ['', 'apps', 'batch', 'extensions'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
  },
]
