import { sampleEnv } from '@infra/shared/env/sample'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it } from 'vitest'
import { workloadChecks } from '../../../cluster/checks/workloads.ts'
import type { ClusterContext } from '../../../cluster/context.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'

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
