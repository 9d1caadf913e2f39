import type { Output } from '@infra/shared/command/command'
import { isKubeGet } from '@infra/shared/command/kube-get'
import { type KubeObject, keyOf, refOf } from '@infra/shared/command/kubectl'
import { factOf } from '@infra/shared/engine/ask'
import type { Question } from '@infra/shared/engine/step'
import { configMapData, configText } from '@infra/shared/facts/kubernetes/config-map'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { namespaceContents } from '@infra/shared/facts/kubernetes/contents'
import { jobState } from '@infra/shared/facts/kubernetes/job'
import { keyStamp } from '@infra/shared/facts/kubernetes/key-stamp'
import { otherMakers } from '@infra/shared/facts/kubernetes/makers'
import { manifestsState, parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import { terminatingNamespaces } from '@infra/shared/facts/kubernetes/namespace'
import { podNeeds } from '@infra/shared/facts/kubernetes/needs'
import { nodeStates } from '@infra/shared/facts/kubernetes/nodes'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { storageState } from '@infra/shared/facts/kubernetes/storage'
import { serverMinor } from '@infra/shared/facts/kubernetes/version'
import { volumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import { claimedAt, volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { readByApi } from '@infra/shared/targets/kubernetes/api-reads'
import { kubectlFailure } from '@infra/shared/targets/kubernetes/errors'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { chanceBy } from '../../support/chance.ts'
import { wrongErrors } from './wrong-errors.ts'

const { below, oneOf, many, damaged, reshaped } = chanceBy(20261130)
const hidden = 'hunter2-hunter2'
const secretText = Buffer.from(hidden).toString('base64')

const metadata = { name: 'bot', namespace: 'bots', labels: { app: 'bot' }, creationTimestamp: '2026-11-24T12:00:00Z' }
const pod = {
  metadata,
  status: {
    phase: 'Running',
    startTime: '2026-11-24T12:00:10Z',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-24T12:00:30Z' }],
    containerStatuses: [
      { restartCount: 2, imageID: 'x@sha256:1', state: { running: { startedAt: '2026-11-24T12:00:20Z' } } },
    ],
  },
}
const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'A' } } }]
const workload = {
  ...{ kind: 'Deployment', metadata },
  spec: { template: { spec: { serviceAccountName: 'a', containers: [{ name: 'bot', env }] } } },
}
const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
const columns = (cells: number) =>
  many(3, () => many(cells, () => oneOf(['<none>', 'bot', '1', 'Bound'])).join('   ')).join('\n')

/** Every question about a cluster, with an answer of its form. */
const questions: Readonly<Record<string, readonly [Question<unknown>, string]>> = {
  pods: [podStates('bots'), list(pod, pod)],
  'container starts': [containerStarts('bots'), list(pod)],
  'a job': [
    jobState('bots', 'job'),
    JSON.stringify({ metadata, status: { conditions: [{ type: 'Complete', status: 'True' }] } }),
  ],
  'a config map': [configMapData('bots', 'c'), JSON.stringify({ metadata, data: { a: 'b' } })],
  'a text of one': [configText('bots', 'c', 'a'), 'text'],
  'a secret': [secretValues('bots', 's'), JSON.stringify({ metadata, data: { PASSWORD: secretText } })],
  'the stamp of a key': [keyStamp('bots', 's'), 'kept 123-20'],
  namespaces: [terminatingNamespaces(['a', 'b']), list({ metadata, status: { phase: 'Terminating', conditions: [] } })],
  needs: [podNeeds('cluster'), list(workload)],
  nodes: [nodeStates(), list({ metadata, status: { nodeInfo: { kernelVersion: '6.12' } } })],
  version: [serverMinor(), JSON.stringify({ major: '1', minor: '36', gitVersion: 'v1.36.3' })],
  objects: [ownObjects('cluster'), columns(17)],
  makers: [otherMakers('cluster'), 'Deployment\tbots\tbot\tApply HashiCorp f:spec\tUpdate kubectl f:spec\n'],
  claims: [volumeClaims('bots'), columns(4)],
  'the age of a claim': [claimedAt('bots', 'data'), 'data   bot   1Gi   2026-11-24T12:00:00Z\n'],
  storage: [storageState('bots'), columns(5)],
  contents: [namespaceContents('bots'), columns(6)],
  'room on volumes': [
    volumeRoom('bots'),
    JSON.stringify({
      pods: [{ volume: [{ pvcRef: { name: 'a', namespace: 'bots' }, capacityBytes: 1, availableBytes: 1 }] }],
    }),
  ],
  manifests: [manifestsState([]), ''],
}

const errors = [
  'error: You must be logged in to the server (Unauthorized)',
  'Error from server (NotFound): secrets "s" not found',
  'Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "bots"',
  'Error from server (InternalError): an error on the server ("") has prevented the request from succeeding',
  'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?',
  'Unable to connect to the server: net/http: TLS handshake timeout',
  'error: the server doesn\'t have a resource type "httproutes"',
  'Error from server: admission webhook "guard.example.com" denied the request: no',
  'Error from server (InternalError): Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: Post "https://guard.guards.svc:443/?timeout=1s": no endpoints available for service "guard"',
  'The Deployment "bot" is invalid: spec.selector: Invalid value: {}: field is immutable',
  'Warning: would violate PodSecurity "restricted:latest": runAsNonRoot != true',
  'panic: runtime error: index out of range [1] with length 1',
  '\u001b[31mfatal\u001b[0m',
  '',
]
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  'null',
  '\n',
  '\t',
  '  ',
  '\u0000',
  'é',
  '\u{1F600}',
  '<none>',
  '\\u',
  '---\n',
]

/** What is wrong with a message for a reader: it shall be a sentence of ours or of kubectl's, and nothing of JavaScript's. */
function unclear(error: unknown): string | undefined {
  if (!(error instanceof Error)) return 'no error'
  const { message } = error
  const isOurs = !/undefined|is not (a function|iterable)|JSON at|Unexpected|Cannot read|\[object/.test(message)
  return message.trim() !== '' && isOurs && !message.includes(secretText) && !message.includes(hidden)
    ? undefined
    : `unclear: ${message}`
}
/** What is wrong with what is thrown, of all that is. */
const wrongOf = (works: readonly (() => unknown)[]): string[] => wrongErrors(works, unclear)

describe.each(Object.entries(questions))('the answer about %s', (_, [question, right]) => {
  const isJson = right.startsWith('{')
  const answers: Output[] = [
    ...many(200, () => ({ code: 0, stdout: damaged(right, pieces), stderr: '' })),
    ...(isJson ? many(200, () => ({ code: 0, stdout: JSON.stringify(reshaped(JSON.parse(right))), stderr: '' })) : []),
    ...many(150, () => ({
      code: oneOf([1, 1, 2, 124, 127, 137, 255]),
      stdout: oneOf(['', right, damaged(right, pieces)]),
      stderr: damaged(oneOf(errors), errors),
    })),
  ]

  test('is read, or said in words not to be', () => {
    expect(answers.length).toBeGreaterThan(300)
    expect(wrongOf(answers.map((answer) => () => factOf(question, answer)))).toEqual([])
  })

  test('that has an error is never an empty one, but where there is no cluster or no such object', () => {
    const told = errors.filter((text) => text !== '' && !/not ?found|resource type|Warning/i.test(text))
    for (const stderr of told)
      for (const code of [2, 3, 130, 255])
        expect(() => {
          const fact = factOf(question, { code, stdout: '', stderr: `${stderr}\n` })
          // What lists all there is tells that it may not be all; a manifest that is refused is told as that.
          const { untold, denied, refused, untried } = fact as Record<string, unknown>
          if (untold ?? denied ?? refused ?? untried) throw new Error('told')
        }, `${code} ${stderr}`).toThrow()
  })
})

test('kubectl errors of whatever kind become one clear failure, or none', () => {
  const access = { files: 'config', context: 'lab', cluster: 'lab', server: 'https://10.0.0.1' } as never
  const stderrs = many(2000, () => many(1 + below(3), () => damaged(oneOf(errors), errors)).join('\n'))
  const failures = stderrs.flatMap((stderr) => kubectlFailure(access, { code: 1, stdout: '', stderr }) ?? [])
  expect(failures.length).toBeGreaterThan(100)
  expect(failures.flatMap((failure) => unclear(failure) ?? [])).toEqual([])
})

describe('the API server behind a proxy', () => {
  const gets = Object.values(questions).flatMap(([{ command }]) => (isKubeGet(command) ? [command.request] : []))
  const bodies = Object.values(questions).flatMap(([, text]) => (text.startsWith('{') ? [text] : []))

  test('is read, or kubectl is asked', async () => {
    for (const request of gets)
      for (let times = 0; times < 100; times += 1) {
        const status = oneOf([200, 200, 200, 404, 403, 500, 503])
        const body = oneOf([
          () => oneOf(bodies),
          () => damaged(oneOf(bodies), pieces),
          () => JSON.stringify(reshaped(JSON.parse(oneOf(bodies)))),
          () => '<html>proxy</html>',
        ])()
        // What is thrown has the same end: combinedReads asks kubectl.
        const output = await readByApi(request, async () => ({ status, body })).catch(() => undefined)
        if (output !== undefined && status !== 200 && status !== 404)
          throw new Error(`${status} was taken for an answer`)
      }
  })
})

describe('the diff of manifests', () => {
  const words = [
    'a',
    '',
    ' ',
    '- x',
    '+++ b',
    '--- a',
    '@@ -1 +1 @@',
    'diff -r a b',
    '\\ No newline',
    '# c',
    'é',
    '\u{1F600}',
    '%',
    '"',
    "'",
    ': ',
    '\t',
    '|',
    '>',
    '~',
    'null',
    '0x1',
    '1e3',
    'yes',
  ]
  const text = () => many(1 + below(4), () => oneOf(words)).join(oneOf(['\n', ' ', '']))
  const configMap = (name: string, data: object): KubeObject =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'bots' }, data }) as unknown as KubeObject
  const served = (object: KubeObject) => ({
    ...object,
    metadata: { ...object.metadata, uid: '1-2', resourceVersion: '7', managedFields: [] },
  })
  /** Both sides whole, as diff(1) shows them: what they begin with alike stands there once. */
  const unified = (before: string, after: string) => {
    const [old, desired] = [before, after].map((side) => side.split('\n').slice(0, -1)) as [string[], string[]]
    const alike = desired.findIndex((line, index) => line !== old[index])
    const same = alike < 0 ? desired.length : alike
    const lines = [
      ...old.slice(0, same).map((line) => ` ${line}`),
      ...old.slice(same).map((line) => `-${line}`),
      ...desired.slice(same).map((line) => `+${line}`),
    ]
    return lines.map((line) => `${line}\n`).join('')
  }
  const file = ({ metadata }: KubeObject) => `v1.ConfigMap.bots.${metadata.name}`

  test('loses no object that differs, finds none that does not, and keeps each text as it is', () => {
    for (let times = 0; times < 200; times += 1) {
      const objects = many(1 + below(5), (index) => {
        const after = configMap(`c${index}`, Object.fromEntries(many(1 + below(3), (key) => [`k${key}`, text()])))
        const kind = oneOf(['same', 'other', 'new'] as const)
        const before = kind === 'other' ? configMap(`c${index}`, { k0: `${text()}!` }) : after
        return { kind, before, after }
      })
      const blocks = objects.flatMap(({ kind, before, after }) => {
        const [one, other] = [kind === 'new' ? '' : stringify(served(before)), stringify(served(after))]
        if (one === other) return []
        const name = file(after)
        const head = `diff -r -N -U99999 L/${name} M/${name}\n--- L/${name}\t2026\n+++ M/${name}\t2026\n@@ -1 +1 @@\n`
        return [head + unified(one, other)]
      })
      const warnings = many(below(2), () => 'Warning: unknown field "spec.x"\n').join('')
      const { changed, warnings: told } = parseDiff({ code: 1, stdout: blocks.join(''), stderr: warnings })
      const differing = objects.filter(
        ({ kind, before, after }) => kind === 'new' || stringify(before) !== stringify(after),
      )
      expect([...changed.keys()].sort()).toEqual(differing.map(({ after }) => keyOf(refOf(after))).sort())
      for (const { after, kind } of differing) {
        const found = changed.get(keyOf(refOf(after)))
        expect(found?.before === null).toBe(kind === 'new')
        expect(found?.after).toBe(
          stringify({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            data: after.data,
            metadata: { name: after.metadata.name, namespace: 'bots' },
          }),
        )
      }
      expect(told).toHaveLength(warnings === '' ? 0 : 1)
    }
  })
})
