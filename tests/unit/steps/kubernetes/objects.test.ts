import { parseObjects } from '@infra/shared/facts/kubernetes/objects'
import { expect, test } from 'vitest'

test('our objects are read from the columns of kubectl get', () => {
  const line =
    'Deployment   bots   bot   bots   <none>   ca-central-1   <none>   3   2   1   2   1   1   1   ReplicaSetUpdated   <none>   <none>\nClusterRole <none> reader bots <none> <none> <none> <none> <none> <none> <none> <none> <none> <none> <none> <none> <none>\n'
  const [deployment, role] = parseObjects({ code: 0, stdout: line, stderr: '' })
  expect(deployment).toMatchObject({
    ...{ kind: 'Deployment', namespace: 'bots', name: 'bot', component: 'bots' },
    ...{ generation: 3, observed: 2, replicas: 1, total: 2, updated: 1, ready: 1, available: 1 },
    ...{ progress: 'ReplicaSetUpdated', region: 'ca-central-1' },
  })
  expect(role).toMatchObject({ kind: 'ClusterRole', namespace: undefined, renewed: undefined, generation: 0 })
  expect(parseObjects({ code: 127, stdout: '', stderr: '' })).toEqual([])
  expect(() => parseObjects({ code: 1, stdout: '', stderr: 'error: odd\n' })).toThrow('odd')
})
