import type { KubeObject } from '@infra/shared/command/kubectl'
import type { Failure } from '@infra/shared/engine/failure'
import type { Work } from '@infra/shared/engine/plan'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { rollouts } from '@infra/shared/steps/kubernetes/rollouts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, guarded, policy, serveWebhook, webhook } from './admission-objects.ts'
import { failureOf } from './aws-lab.ts'
import { busybox } from './kube/images.ts'
import { busyboxContainer } from './kube/objects.ts'
import { planned, settle, useKube, workOf } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, until } from './run.ts'

const skip = requireLab('kube')

describe.skipIf(skip)(title('what the API server will not have', skip), () => {
  const lab = useKube()
  const { kubectl } = lab
  const words = 'error: You must be logged in to the server; connection refused, says the guard'
  let guard: Awaited<ReturnType<typeof serveWebhook>>
  const of = { script: 'admission', workspace: 'lab' }
  const work = (...objects: KubeObject[]) => workOf(manifests(lab.open(), objects, { ...of, prune: false }))
  const refusal = async (...objects: KubeObject[]): Promise<Failure> => {
    let failure: Failure | undefined
    const writes = await lab.writesOf(async () => {
      failure = await failureOf(planned(work(...objects)))
    })
    expect(writes).toBe(0)
    return failure as Failure
  }
  const apply = (...items: object[]) => kubectl('apply -f -', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  /** Until the API server denies an object, in words that hold these. */
  const inForce = (name: string, told: string) =>
    until(`the API server to say ${told}`, 20_000, async () => {
      const { stderr } = await lab.kube.kubectl(['create', '-f', '-'], JSON.stringify(configMap(name)))
      return stderr.includes(told) || undefined
    })

  beforeAll(async () => {
    guard = await serveWebhook(lab.folder, lab.kube.gateway, words)
    await lab.kube.importImage(await busybox())
    await kubectl(`create namespace ${guarded}`)
  })
  afterAll(() => guard?.stop())

  it.each<[string, () => object, cause: string, remedy: string]>([
    [
      'refuses',
      () => ({ ...guard.at('/'), url: 'https://127.0.0.1:1/' }),
      'connection refused',
      'at https://127.0.0.1:1.',
    ],
    ['hangs', () => guard.at('/hang'), 'context deadline exceeded', 'at https://'],
    ['is away', () => ({ service: { namespace: 'guards', name: 'gone' } }), 'not found', 'kubectl get service,'],
  ])(
    'a webhook that %s is told by its name, and not taken for the way to the cluster',
    async (_, how, cause, remedy) => {
      await apply(webhook(how()))
      await inForce('a', cause)
      const failure = await refusal(configMap('a'))
      expect(failure.kind).toBe('error')
      expect(failure.message).toContain('admission webhook guard.example.com does not work')
      expect(failure.message).toContain(cause)
      expect(failure.remedy).toContain(remedy)
      const list = failure.remedy?.match(/kubectl get validatingwebhookconfigurations.*'/)?.[0] ?? ''
      expect(await must('sh', ['-c', list], { env: lab.kube.env })).toMatch(/guard +guard\.example\.com/)
    },
  )

  it('a webhook that denies is told with its words, in the plan and where it only denies the change', async () => {
    await apply(webhook(guard.at('/deny')))
    await inForce('a', 'denied the request')
    const told = `admission webhook guard.example.com denied the request: ${words}`
    expect((await refusal(configMap('a'))).message).toBe(`manifests admission: ${told}`)
    await apply(webhook(guard.at('/deny-writes')))
    await until('dry runs to pass', 20_000, async () =>
      planned(work(configMap('a'))).then(
        () => true,
        () => undefined,
      ),
    )
    const failure = await failureOf(settle(work(configMap('a'))))
    expect([failure.kind, failure.message]).toEqual(['error', expect.stringContaining(`: ${told} (exit code 1)`)])
    expect(failure.remedy).toContain('ask who runs it')
    await kubectl('delete validatingwebhookconfiguration guard')
  })

  it('a policy and a quota are told by their names', async () => {
    await apply(...policy('names must not be bad'))
    await inForce('bad', 'ValidatingAdmissionPolicy')
    const byPolicy = await refusal(configMap('bad'))
    expect(byPolicy.message).toContain('admission policy no-bad-names denied the request: names must not be bad')
    const [look = ''] = byPolicy.remedy?.match(/kubectl get .*/) ?? []
    expect(await must('sh', ['-c', look], { env: lab.kube.env })).toContain('policyName: no-bad-names')
    await kubectl(`create quota few -n ${guarded} --hard=count/configmaps=0`)
    await inForce('probe', 'exceeded quota')
    expect((await refusal(configMap('good'))).message).toMatch(
      /quota few of the namespace denied the request: requested: count\/configmaps=1, used: .*, limited: count\/configmaps=0$/,
    )
    await kubectl(`delete quota few -n ${guarded}`)
  })

  it('a namespace that is being deleted is refused with what holds it, also once the plan was shown', async () => {
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } } as const
    const all = [space, configMap('held', 'going'), configMap('new', 'going')]
    await settle(work(space, configMap('held', 'going')))
    const held = JSON.stringify({ metadata: { finalizers: ['example.com/hold'] } })
    await kubectl(`patch configmap held -n going --type=merge -p ${held}`)
    const agree = async () => {
      await kubectl('delete namespace going --wait=false')
    }
    const late = await failureOf(settle(work(...all), { agree }))
    expect(late.message).toContain('namespace going is being deleted')
    await until(
      'the reason',
      40_000,
      async () =>
        (await kubectl('get namespace going -o jsonpath={.status.conditions}')).includes('SomeFinalizersRemain') ||
        undefined,
    )
    // Nothing of it would differ.
    const failure = await refusal(space, configMap('held', 'going'))
    expect(failure.message).toBe(
      'manifests admission: namespace going is being deleted, held by 1 configmaps; finalizers example.com/hold in 1 resource instances',
    )
    expect(failure.remedy).toContain('kubectl get configmaps -n going')
    const [free = ''] = failure.remedy?.match(/kubectl patch TYPE NAME .*/) ?? []
    await must('sh', ['-c', free.replace('TYPE NAME', 'configmap held')], { env: lab.kube.env })
    await kubectl('wait namespace/going --for=delete --timeout=600s')
    await settle(work(...all))
  })

  it('a rollout that fails says why this one did, and nothing of those before', async () => {
    const release = (image: string, script: string, seconds = 8): Work[] => {
      // One without it is ready as long as it runs, if only for a moment.
      const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 1, periodSeconds: 1 }
      const container = { ...busyboxContainer('bot', script, { readinessProbe }), image }
      const deployment: KubeObject = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'bot', namespace: guarded },
        spec: {
          selector: { matchLabels: { app: 'bot' } },
          template: {
            metadata: { labels: { app: 'bot' } },
            spec: { terminationGracePeriodSeconds: 0, containers: [container] },
          },
        },
      }
      const on = lab.open()
      const applied = manifests(on, [deployment], { ...of, prune: false })
      const wait = { ...of, namespace: guarded, workloads: ['deployment/bot'] as const, seconds }
      return workOf(applied, rollouts(on, { ...wait, dependsOn: [applied] }))
    }
    const told = async (...args: Parameters<typeof release>) =>
      (await failureOf(settle(release(...args)))).detail.join('\n')
    await settle(release('busybox:1', 'exec sleep 1000000', 600))
    const unpulled = await told('busybox:404', 'exec sleep 1000000')
    expect(unpulled).toMatch(/Failed +bot-\S+ +Failed to pull image "busybox:404"/)
    const crash = 'echo in the log; printf "no database: refused" >/dev/termination-log; exit 3'
    const crashed = await told('busybox:1', crash)
    expect(crashed).toMatch(/BackOff +bot-\S+ +Back-off restarting failed container/)
    expect(crashed).toMatch(/bot-\S+ bot ended with exit code 3 \(Error\): no database: refused/)
    expect(crashed).toContain('in the log')
    expect(crashed).not.toMatch(/404|Scheduled|SuccessfulCreate/)
    await kubectl(`create quota none -n ${guarded} --hard=pods=1`)
    const unmade = await told('busybox:1', 'exec sleep 2000000', 5)
    expect(unmade.split('\n').filter((line) => line.includes('exceeded quota'))).toEqual([
      expect.stringMatching(/FailedCreate +bot-\S+ +Error creating: pods "bot-\S+" is forbidden: exceeded quota: none/),
    ])
    expect(unmade).not.toMatch(/BackOff|404/)
  })
})
