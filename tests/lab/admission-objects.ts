import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { bodyOf } from './http.ts'
import { makeAuthority, makeCertificate } from './kube/certificates.ts'

/** Where the objects are that the tests' webhook, policy and quota judge. */
export const guarded = 'guarded'

export const configMap = (name: string, namespace = guarded): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { greeting: 'hello' },
})

const configMaps = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }
const inSpace = { matchLabels: { 'kubernetes.io/metadata.name': guarded } }
const admissionApi = 'admissionregistration.k8s.io/v1'

/** A webhook that judges the ConfigMaps of the namespace: by a URL, or by a Service. */
export const webhook = (clientConfig: object) => ({
  apiVersion: admissionApi,
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'guard' },
  webhooks: [
    {
      ...{ name: 'guard.example.com', clientConfig, failurePolicy: 'Fail', timeoutSeconds: 1 },
      ...{ sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [configMaps], namespaceSelector: inSpace },
    },
  ],
})

/** A policy of the API server's own against ConfigMaps of one name, and what puts it in force. */
export const policy = (message: string) => [
  {
    apiVersion: admissionApi,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'no-bad-names' },
    spec: {
      matchConstraints: { resourceRules: [configMaps], namespaceSelector: inSpace },
      validations: [{ expression: `object.metadata.name != 'bad'`, message }],
    },
  },
  {
    apiVersion: admissionApi,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'here' },
    spec: { policyName: 'no-bad-names', validationActions: ['Deny'] },
  },
]

interface Review {
  request: { uid: string; dryRun?: boolean }
}

/**
 * A real admission webhook: `/deny` says no, `/deny-writes` no to all but a dry run, `/hang` nothing at all, `/allow` yes. Gives the
 * client's side of its configuration by path.
 */
export async function serveWebhook(folder: string, address: string, message: string) {
  await makeAuthority(folder, 'admission')
  await makeCertificate(folder, 'webhook', { subject: '/CN=webhook', addresses: [address] })
  const [key, cert, authority] = await Promise.all(
    ['webhook.key', 'webhook.crt', 'ca.crt'].map((name) => readFile(join(folder, name))),
  )
  const server = createServer({ key, cert }, async (request, response) => {
    const body = await bodyOf(request)
    if (request.url?.startsWith('/hang')) return
    const { uid, dryRun = false } = (JSON.parse(body.toString()) as Review).request
    const allowed =
      request.url?.startsWith('/allow') === true || (request.url?.startsWith('/deny-writes') === true && dryRun)
    const answer = { uid, allowed, ...(!allowed && { status: { code: 403, message } }) }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
  })
  await new Promise<void>((done) => server.listen(0, address, done))
  const { port } = server.address() as AddressInfo
  return {
    at: (path: string) => ({ url: `https://${address}:${port}${path}`, caBundle: authority?.toString('base64') }),
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
