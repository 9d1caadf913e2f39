import { makePlan } from '@infra/shared/engine/plan'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { noObjects } from '@infra/shared/steps/kubernetes/removal'
import { rollouts } from '@infra/shared/steps/kubernetes/rollouts'
import { describe, expect, it } from 'vitest'
import { failureOf } from './aws-lab.ts'
import { pause } from './kube/images.ts'
import { notesOf, planned, settle, useKube, workOf } from './kube-steps.ts'
import {
  binding,
  claim,
  deployment,
  namespaceObject,
  role,
  secretObject,
  service,
  space,
  stateful,
} from './manifests-objects.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('kube')

describe.skipIf(skip)(title('the removal of what was made in a real cluster', skip), () => {
  const lab = useKube()
  const { kubectl, open } = lab
  const gone = (...confirmed: string[]) =>
    workOf(noObjects(open(), { workspace: 'cluster', namespace: space, apps: [], confirmed }))
  const notes = async (...confirmed: string[]) => notesOf(await makePlan(gone(...confirmed), () => {}))

  it('leaves the namespace to what others keep in it, of whatever kind', async () => {
    const desired = [namespaceObject, deployment('pause:1', 1), secretObject(), service(), claim(), role(), binding()]
    await settle(workOf(manifests(open(), desired, { script: 'web', workspace: 'cluster', prune: false })))
    await kubectl(`create secret generic stoat-secrets -n ${space} --from-literal=A=of-others`)
    await kubectl(`create configmap theirs -n ${space}`)
    await kubectl(`create role look -n ${space} --verb=get --resource=pods`)
    await kubectl(`create ingress door -n ${space} --rule=a.example/*=web:80`)
    await kubectl(`create job once -n ${space} --image=pause:1`)
    expect((await notes('web-data')).join('\n')).toMatch(
      /namespace contract is kept: (?=.*config map theirs)(?=.*secret stoat-secrets)(?=.*role look)(?=.*ingress door)(?=.*job once)[^\n]* are not ours$/,
    )
    await settle(gone('web-data'))
    expect(await kubectl(`get secret,configmap -n ${space} -o name`)).toBe(
      'secret/stoat-secrets\nconfigmap/kube-root-ca.crt\nconfigmap/theirs',
    )
    expect(await planned(gone('web-data'))).toEqual([])
  })

  it('takes the namespace when all of that is gone, which is told as a loss', async () => {
    await kubectl(`delete -n ${space} secret/stoat-secrets configmap/theirs role/look ingress/door job/once --wait`)
    expect(await notes()).toEqual([])
    expect(await planned(gone())).toEqual([`remove namespace ${space} [data]`])
    await settle(gone())
    expect((await lab.kube.kubectl(['get', 'namespace', space])).code).not.toBe(0)
  })

  it('keeps what was adopted from another program, until its name is typed', async () => {
    await kubectl(`create namespace ${space}`)
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sandbox', namespace: space } }
    const uses = { serviceAccountName: 'sandbox', containers: [{ name: 'main', image: 'pause:1' }] }
    const web = deployment('', 1, { template: { metadata: { labels: { app: 'web' } }, spec: uses } })
    await lab.as('Terraform', role(), web)
    const desired = [namespaceObject, service(), role(), binding(), account, web]
    await settle(workOf(manifests(open(), desired, { script: 'web', workspace: 'cluster', prune: false })))
    // By hand, on what is ours: it stays ours.
    await kubectl(`annotate service web -n ${space} note=mine`)
    expect(await planned(gone())).toEqual([
      'remove service web [downtime]',
      'remove cluster role binding contract-binding',
    ])
    expect(await notes()).toEqual([
      'deployment web is kept: Terraform had made it; --data --confirm deployment/web takes it too',
      'cluster role contract-reader is kept: Terraform had made it; --data --confirm clusterrole/contract-reader takes it too',
      'service account sandbox is kept: deployment web needs it',
      `namespace ${space} is kept: kubectl-create had made it; --data --confirm namespace/${space} takes it too`,
    ])
    await settle(gone('deployment/web', 'clusterrole/contract-reader', `namespace/${space}`))
    expect((await lab.kube.kubectl(['get', 'namespace', space])).code).not.toBe(0)
    expect((await lab.kube.kubectl(['get', 'clusterrole', 'contract-reader'])).code).not.toBe(0)
  })

  it('takes all that runs after a release was rolled back and another one deployed', async () => {
    await lab.kube.importImage(await pause(), 'docker.io/library/pause:1')
    const on = open()
    const release = (image: string, env: { name: string; value: string }[]) => {
      const containers = [{ name: 'main', image, env }]
      const template = (app: string) => ({ metadata: { labels: { app } }, spec: { containers } })
      const data = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
      const claims = [{ metadata: { name: 'data' }, spec: { ...data, storageClassName: 'do-block-storage' } }]
      const set = {
        ...stateful(),
        spec: { replicas: 1, serviceName: 'store', selector: { matchLabels: { app: 'store' } } },
      }
      const web = deployment('', 1, { template: template('web') })
      const store = { ...set, spec: { ...set.spec, template: template('store'), volumeClaimTemplates: claims } }
      const options = { script: 'web', workspace: 'cluster', prune: false }
      const made = manifests(on, [namespaceObject, web, store], options)
      const workloads = ['deployment/web', 'statefulset/store'] as const
      const seconds = image === 'nowhere:1' ? 5 : 60
      const rolled = rollouts(on, { ...options, namespace: space, workloads, seconds, dependsOn: [made] })
      return workOf(made, rolled)
    }
    const both = `deployment/web statefulset/store -n ${space}`
    const says = (path: string) => kubectl(`get ${both} -o jsonpath={.items[*]${path}}`)
    const container = '.spec.template.spec.containers[0]'
    await settle(release('pause:1', [{ name: 'OLD', value: '1' }]))
    const failure = await failureOf(settle(release('nowhere:1', [])))
    expect(failure.message).toMatch(/web: went back to revision 1/)
    expect(failure.message).toMatch(/store: went back to the revision before/)
    expect(await says(`${container}.env[0].name`)).toBe('OLD OLD')
    // What went back belongs to nobody else, so what the next release leaves out goes.
    const managers = (await says('.metadata.managedFields[*].manager')).split(' ')
    expect(new Set(managers)).toEqual(new Set(['infra', 'kube-controller-manager']))
    await settle(release('pause:1', []))
    expect(await says(`${container}.env`)).toBe('')
    expect(await planned(release('pause:1', []))).toEqual([])
    // By hand it is not a maker either.
    await kubectl(`rollout undo deployment/web -n ${space}`)
    await settle(release('pause:1', []))
    expect(await planned(gone())).toEqual(
      expect.arrayContaining(['remove deployment web [downtime]', 'remove stateful set store [downtime]']),
    )
    await settle(gone())
    expect(await kubectl(`get deployment,statefulset -n ${space} -o name`)).toBe('')
    // Their pods end in the background, several at once.
    await kubectl(`wait --for=delete pod --all -n ${space} --timeout=120s`)
    expect(await kubectl(`get pod -n ${space} -o name`)).toBe('')
  })
})
