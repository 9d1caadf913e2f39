import { serveWebhook } from './admission-objects.ts'
import type { KubeLab } from './kube/kube.ts'

/**
 * Makes a namespace as those of others are: with a quota, defaults for what says no limits, a webhook that is asked about
 * every pod, and Warnings of an old day about pods of these names.
 */
export async function makeUnkind(kube: KubeLab, folder: string, namespace: string, pods: readonly string[]) {
  const guard = await serveWebhook(folder, kube.gateway, 'no pods')
  const meta = (name: string) => ({ name, namespace })
  const old = '2026-01-02T03:04:05Z'
  const events = pods.map((pod) => ({
    ...{ apiVersion: 'v1', kind: 'Event', metadata: meta(`${pod}.old`), type: 'Warning', reason: 'FailedMount' },
    ...{ message: 'an old day: no volume', firstTimestamp: old, lastTimestamp: old, count: 7 },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name: pod, namespace },
  }))
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: meta('all'),
      spec: { hard: { 'limits.memory': '16Gi', pods: '30' } },
    },
    {
      ...{ apiVersion: 'v1', kind: 'LimitRange', metadata: meta('defaults') },
      spec: { limits: [{ type: 'Container', default: { cpu: '3', memory: '3Gi' }, defaultRequest: { cpu: '10m' } }] },
    },
    {
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
      metadata: { name: 'every-pod' },
      webhooks: [
        {
          ...{ name: 'every-pod.example.com', clientConfig: guard.at('/allow'), failurePolicy: 'Fail' },
          ...{ timeoutSeconds: 10, sideEffects: 'None', admissionReviewVersions: ['v1'] },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      ],
    },
    ...events,
  ]
  const { code, stderr } = await kube.kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
  if (code !== 0) throw new Error(stderr)
  return guard
}
