import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDeadWebhook, readDenial } from '@infra/shared/command/admission'
import { explainKubectl } from '@infra/shared/command/kubectl'
import { parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import { kubectlFailure } from '@infra/shared/targets/kubernetes/errors'
import { describe, expect, it, test } from 'vitest'

const access = { files: '/k', context: 'prod', cluster: 'bots', server: 'https://203.0.113.9:6443' }
const answer = (stderr: string) => ({ code: 2, stdout: '', stderr })
const text = readFileSync(join(import.meta.dirname, '../steps/recorded/kubectl-admission.txt'), 'utf8')
/** What a real API server said, by what was in its way. */
const recorded = new Map(
  text
    .split(/^## /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
)
const said = (what: string): string => recorded.get(what) ?? expect.unreachable(what)

const dead: readonly [what: string, cause: string, remedy: string][] = [
  ['refused port', 'dial tcp 127.0.0.1:1: connect: connection refused', 'It is at https://127.0.0.1:1. Repair'],
  ['no Service', 'service "guard" not found', 'Its Service is guard in namespace guards: kubectl get service,'],
  ['Service without pods', 'dial tcp 10.96.224.7:443: connect: connection refused', 'Its Service is guard in'],
  ['no such host', 'dial tcp: lookup guard.invalid on 10.255.255.53:53: no such host', 'It is at https://guard.inv'],
  ['untrusted', 'tls: failed to verify certificate: x509: certificate signed by unknown authority', 'It is at https'],
  ['no answer', 'context deadline exceeded', 'It is at https'],
  ['forbidden', 'forbidden: User "system:anonymous" cannot post path "/validate"', 'Repair the webhook. Only where'],
]
const denied: readonly [what: string, by: string, words: string, remedy: string][] = [
  [
    'webhook',
    'admission webhook guard.example.com',
    'error: You must be logged in to the server; connection refused, says the guard',
    'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
  ],
  [
    'policy',
    'admission policy no-bad',
    'names must not begin with bad',
    'kubectl get validatingadmissionpolicy/no-bad validatingadmissionpolicybinding/no-bad-binding -o yaml',
  ],
  [
    'policy, forbidden',
    'admission policy no-bad',
    'names must not begin with bad',
    'validatingadmissionpolicy/no-bad ',
  ],
  [
    'quota',
    'quota few of the namespace',
    'requested: requests.storage=5Gi, used: requests.storage=0, limited: requests.storage=1Gi',
    'kubectl get resourcequota few -o yaml',
  ],
  [
    'limit',
    'admission control of the API server',
    'persistentvolumeclaims "big": maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi',
    'kubectl get limitranges -A',
  ],
  [
    'pod security',
    'Pod Security (restricted:latest) of the namespace',
    'allowPrivilegeEscalation != false',
    'pod-security.kubernetes.io/enforce',
  ],
  ['terminating', 'namespace going', 'it is being deleted', 'kubectl get namespace going -o yaml'],
]

describe('a webhook that the API server cannot ask', () => {
  it.each(dead)('%s: has an error of its own, whatever its cause says', (what, cause, remedy) => {
    const failure = kubectlFailure(access, answer(said(what)))
    expect([failure?.kind, failure?.message]).toEqual([
      'error',
      `admission webhook guard.example.com does not work, and the API server must ask it first: ${cause}`,
    ])
    expect(failure?.remedy).toContain(remedy)
    expect(failure?.remedy).toContain('kubectl get validatingwebhookconfigurations,')
    expect(readDenial(said(what))).toBeUndefined()
  })

  test('leaves in doubt what was under way', () => {
    expect(kubectlFailure(access, answer(said('refused port')), 'kubectl apply')?.remedy).toMatch(/may or may not/)
  })
})

describe('a request that is denied', () => {
  it.each(denied)('%s: is a judgement, told with who judged and its words', (what, by, words, remedy) => {
    const stderr = said(what)
    expect(kubectlFailure(access, answer(stderr))).toBeUndefined()
    expect(readDeadWebhook(stderr)).toBeUndefined()
    const denial = readDenial(stderr)
    expect(denial).toEqual({
      by,
      words: expect.stringContaining(words),
      remedy: expect.stringContaining(remedy),
    })
    expect(parseDiff(answer(stderr))).toMatchObject({ denied: denial, refused: undefined })
    expect(explainKubectl(answer(stderr))).toEqual({
      cause: `${by} denied the request: ${denial?.words}`,
      remedy: denial?.remedy,
    })
  })
})

test('every recorded answer is judged here', () => {
  expect([...recorded.keys()].sort()).toEqual([...dead, ...denied].map(([what]) => what).sort())
})

// These say something else, although they hold the same words.
test.each([
  [
    'missing rights',
    'Error from server (Forbidden): deployments.apps is forbidden: User "ana" cannot list resource "deployments"',
  ],
  [
    'missing rights to one',
    'Error from server (Forbidden): deployments.apps "bot" is forbidden: User "ana" cannot patch resource "deployments"',
  ],
  ['an invalid value', 'The Deployment "bot" is invalid: spec.selector: Invalid value: {}: field is immutable'],
  ['a log', '  Error from server (Forbidden): pods "x" is forbidden: exceeded quota: q, requested: pods=1'],
  [
    'an unreachable API',
    'The connection to the server 203.0.113.9:6443 was refused - did you specify the right host or port?',
  ],
  ['a fault of the API', 'Error from server (InternalError): Internal error occurred: etcdserver: request timed out'],
])('%s is not a judgement of admission control', (_, stderr) => {
  expect([readDenial(stderr), readDeadWebhook(stderr)]).toEqual([undefined, undefined])
})
