import type { KubeObject } from '@infra/shared/command/kubectl'
import { secretData } from '@infra/shared/command/kubectl'
import { secret } from '@infra/shared/command/secret'

export const space = 'contract'
export const password = 'n0t-f0r-0ther-eyes-7f3a'

export const meta = (name: string) => ({ name, namespace: space, labels: { app: name } })

export const namespaceObject: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: space } }

/** A Deployment that needs no image to be there: it has no pods unless told. */
export const deployment = (image = 'web:1', replicas = 0, more: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web'),
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'web', image, env: [{ name: 'GREETING', value: 'hello' }], ports: [{ containerPort: 8080 }] },
        ],
      },
    },
    ...more,
  },
})

export const secretObject = (value = password): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: meta('web-secrets'),
  type: 'Opaque',
  data: secretData({ PASSWORD: secret(value), USER: secret('somebody-else') }),
})

export const service = (port = 80): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web'),
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port, targetPort: 8080, protocol: 'TCP' }] },
})

export const claim = (storage = '2Gi'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta('web-data'),
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'do-block-storage',
    resources: { requests: { storage } },
  },
})

export const role = (verbs: string[] = ['get', 'list']): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'contract-reader' },
  rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
})

export const binding = (name = 'contract-reader'): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'contract-binding' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: space }],
})

export const stateful = (storage = '1Gi'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: meta('store'),
  spec: {
    replicas: 0,
    serviceName: 'store',
    selector: { matchLabels: { app: 'store' } },
    template: { metadata: { labels: { app: 'store' } }, spec: { containers: [{ name: 'store', image: 'store:1' }] } },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      },
    ],
  },
})

export const everything = [
  namespaceObject,
  deployment(),
  secretObject(),
  service(),
  claim(),
  role(),
  binding(),
  stateful(),
]
