import { parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { expect, test } from 'vitest'

const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'r', namespace: 'n' } }

test('a kind that the cluster does not know is refused, with what brings it', () => {
  const stderr = 'error: unable to recognize no matches for kind "HTTPRoute" in version "gateway.networking.k8s.io/v1"'
  const state = parseDiff({ code: 2, stdout: '', stderr })
  const extension = { kind: 'httproutes.gateway.networking.k8s.io', remedy: 'Or do without.' }
  const options = { script: 'x', workspace: 'w', prune: false, extension }
  expect(manifests(blankKubernetes(), [route], options).plan({ state, own: [] } as never, { pending: [] })).toEqual({
    kind: 'refused',
    reason: 'the cluster does not know the kind HTTPRoute (gateway.networking.k8s.io/v1)',
    remedy: expect.stringMatching(/api-group=gateway\.networking\.k8s\.io .*Or do without\.$/),
  })
})
