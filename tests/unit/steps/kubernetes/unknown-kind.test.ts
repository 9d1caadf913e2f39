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

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' } }
const plan = (stderr: string, pending: string[], code = 1) => {
  const podInputs = [{ from: 'image d', what: 'its new image' }]
  const options = { script: 'x', workspace: 'w', prune: false, podInputs }
  const state = parseDiff({ code, stdout: '', stderr: `Not yet: there is no image d\n${stderr}` })
  return manifests(blankKubernetes(), [deployment], options).plan({ state, own: [] } as never, { pending })
}

test('an image that nothing makes is refused; while it is being made the rest is shown', () => {
  expect(plan('', [])).toMatchObject({ kind: 'refused', reason: 'there is no image d' })
  expect(plan('', ['image d'])).toMatchObject({
    kind: 'changes',
    changes: [{ say: 'deployment d: its new image', risk: 'restart' }],
  })
})

test('what denies an image that only stands in for another is not known to deny that one', () => {
  const denied = 'Error from server: admission webhook "guard.example.com" denied the request: not from our registry'
  expect(() => plan(denied, ['image d'], 2)).toThrow('there is no image d')
})
