import type { Command } from '@infra/shared/command/command'
import { runChecks } from '@infra/shared/engine/check'
import { sampleEnv } from '@infra/shared/env/sample'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it } from 'vitest'
import { accessKeyChecks } from '../../../cluster/checks/access-key.ts'
import { workloadChecks } from '../../../cluster/checks/workloads.ts'
import type { ClusterContext } from '../../../cluster/context.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'

describe('the check of what renews the pull secret', () => {
  const judge = (ECR_REFRESH_IMAGE: string, minor: string) => {
    const env = { ...sampleEnv(clusterSchema), ECR_REFRESH_IMAGE }
    const context = { env, kube: blankKubernetes() } as unknown as ClusterContext
    const { asked } = workloadChecks(context).find(({ id }) => id === 'namespace.renewer') ?? {}
    const answer = { code: 0, stdout: JSON.stringify({ major: '1', minor, gitVersion: `v1.${minor}.2` }), stderr: '' }
    return asked?.judge?.({ cluster: asked.ask.cluster?.parse(answer) })
  }

  it.each<[string, string, string, string]>([
    ['docker.io/alpine/k8s:1.35.8', '34', 'ok', 'kubectl 1.35, Kubernetes 1.34'],
    ['docker.io/alpine/k8s:1.35.8', '36+', 'ok', 'kubectl 1.35, Kubernetes 1.36'],
    ['docker.io/alpine/k8s:1.35.8', '37', 'warn', 'kubectl 1.35, Kubernetes 1.37'],
    ['docker.io/alpine/k8s:1.35.8', '33', 'warn', 'kubectl 1.35, Kubernetes 1.33'],
    [`registry.example.com:5000/tools:v1.30@sha256:${'0'.repeat(64)}`, '36', 'warn', 'kubectl 1.30, Kubernetes 1.36'],
    [
      'registry.example.com/tools:1',
      '36',
      'ok',
      'Kubernetes 1.36; registry.example.com/tools:1 does not tell its version',
    ],
  ])('%s for 1.%s', (image, minor, outcome, detail) => {
    expect(judge(image, minor)).toEqual({ outcome, detail })
  })

  it('suits by default every version that is offered', () => {
    const image = sampleEnv(clusterSchema).ECR_REFRESH_IMAGE
    for (const minor of ['34', '35', '36']) expect(judge(image, minor)?.outcome).toBe('ok')
  })
})

describe('the check of the bot’s access key', () => {
  const env = {
    ...sampleEnv(clusterSchema),
    BOT_AWS_ACCESS_KEY_ID: undefined,
    BOT_IAM_USER: 'bot',
    KUBE_CONTEXT: 'one',
  }
  const context = { env, aws: blankAws({ region: 'ca-central-1' }), folder: '/nowhere' } as unknown as ClusterContext
  const [asked] = accessKeyChecks(context).map((check) => check.asked)
  const key = (id: string, active: boolean) => ({ id, active, created: '2026-11-01T00:00:00.000Z' })

  it.each<[string, object[], string | null, string, RegExp]>([
    ['holds where AWS takes the one that is kept', [key('AKIA1', true)], 'AKIA1', 'ok', /KIA1/],
    ['fails where it is switched off', [key('AKIA1', false)], 'AKIA1', 'fail', /switched off.*0 of 1/],
    ['fails where it is no key of the user', [key('AKIA2', true)], 'AKIA1', 'fail', /no key of the user/],
    ['fails where none is kept', [key('AKIA1', true)], null, 'fail', /holds none/],
    ['fails where the user has none', [], 'AKIA1', 'fail', /no key of the user.*0 of 0/],
  ])('%s', (_, keys, kept, outcome, detail) => {
    expect(asked?.judge?.({ keys, kept })).toEqual({ outcome, detail: expect.stringMatching(detail) })
  })
})

describe('the check of the sandbox’s network', () => {
  const context = { env: sampleEnv(clusterSchema), kube: blankKubernetes() } as unknown as ClusterContext
  const asked = workloadChecks(context).find(({ id }) => id === 'dev-sandbox.network')?.asked
  const redis = { kind: 'StatefulSet', namespace: 'discord-bot', name: 'redis', ready: 1 } as OwnObject
  const answer = (code: number, stdout: string, stderr = '') => asked?.ask.connection?.parse({ code, stdout, stderr })

  it.each<[string, unknown, Partial<OwnObject>, string, string]>([
    ['holds where nothing gets through', answer(0, 'closed\n'), {}, 'ok', 'no connection'],
    ['fails where Redis answers', answer(0, 'open\n'), {}, 'fail', 'Redis answered it'],
    ['proves nothing while Redis is down', answer(0, 'closed\n'), { ready: 0 }, 'warn', 'not tried: Redis itself'],
    ['is not tried without a sandbox', answer(1, 'error: no pods\n'), {}, 'warn', 'not tried: error: no pods'],
    ['is not tried without the Service', answer(1, '', 'services "redis" not found\n'), {}, 'warn', 'not tried: serv'],
    [
      'is not tried without a program to try with',
      answer(3, 'neither nc nor bash\n'),
      {},
      'warn',
      'not tried: neither',
    ],
    ['is not tried without a cluster', answer(127, ''), {}, 'warn', 'not tried: exit code 127'],
  ])('%s', (_, connection, more, outcome, detail) => {
    const found = asked?.judge?.({ own: [{ ...redis, ...more }], connection })
    expect(found).toEqual({ outcome, detail: expect.stringContaining(detail) })
  })
})

describe('the check of what the bot answers', () => {
  const says = (stdout: string) => ({ code: stdout.startsWith('Error') ? 1 : 0, stdout: `${stdout}\n`, stderr: '' })
  // As the API server's proxy of Kubernetes 1.36 puts it.
  const noPod = says('Error from server (ServiceUnavailable): no endpoints available for service "discord-bot:http"')
  const noListener = says(
    'Error from server (ServiceUnavailable): error trying to reach service: dial tcp 10.244.0.2:3000: connect: connection refused',
  )
  const itself = says('Error from server (ServiceUnavailable): the server is currently unable to handle the request')

  it.each<[string, (typeof noPod)[], number, string, RegExp, number]>([
    ['asks again where no pod is known yet', [noPod, noListener, says('ok')], 1, 'ok', /^ok$/, 3],
    ['takes what the bot itself says as it is', [itself, says('ok')], 1, 'fail', /unable to handle/, 1],
    ['does not wait for a bot that is not there', [noPod, says('ok')], 0, 'fail', /no endpoints/, 1],
  ])('%s', async (_, answers, available, outcome, detail, count) => {
    let asked = 0
    const object = ['Deployment', 'discord-bot', 'discord-bot', ...Array(4).fill('<none>'), 1, 1, 1, 1, 1, available]
    const columns = [...object, available, ...Array(3).fill('<none>')].join('   ')
    const ask = async ([first]: readonly Command[]) => {
      expect(first?.line).toContain('/services/discord-bot:http/proxy/health')
      return [answers[asked++], { code: 0, stdout: columns, stderr: '' }]
    }
    const context = { env: sampleEnv(clusterSchema), kube: { ...blankKubernetes(), ask } } as unknown as ClusterContext
    const health = workloadChecks(context, { limitMs: 10_000, everyMs: 1 }).filter(
      ({ id }) => id === 'discord-bot.health',
    )
    const found: object[] = []
    await runChecks(health, (event) => {
      if (event.type === 'check') found.push([event.outcome, event.detail])
    })
    expect(found).toEqual([[outcome, expect.stringMatching(detail)]])
    expect(asked).toBe(count)
  })
})
