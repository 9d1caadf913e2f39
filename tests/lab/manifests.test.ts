import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { makePlan } from '@infra/shared/engine/plan'
import type { Target } from '@infra/shared/engine/target'
import { jsonReporter } from '@infra/shared/report/json'
import { outletTo } from '@infra/shared/report/outlet'
import { prettyReporter } from '@infra/shared/report/pretty'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { describe, expect, it } from 'vitest'
import { failureOf, sampleArguments } from './aws-lab.ts'
import { readTests } from './kube-reads.ts'
import { notesOf, planned, settle, useKube, workOf } from './kube-steps.ts'
import {
  binding,
  claim,
  deployment,
  everything,
  namespaceObject,
  password,
  secretObject,
  service,
  space,
  stateful,
} from './manifests-objects.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('kube')
describe.skipIf(skip)(title('manifests on a real cluster', skip), () => {
  const lab = useKube()
  const { kubectl, writesOf, open } = lab
  const desired = (
    objects: readonly KubeObject[],
    { prune = false, on = open() }: { prune?: boolean; on?: Target } = {},
  ) => workOf(manifests(on, objects, { script: 'contract', workspace: 'lab', prune }))
  const without = (...gone: KubeObject[]) => everything.filter((one) => !gone.some(({ kind }) => kind === one.kind))

  it('plans all of it where not even the namespace is there, makes it, and finds nothing to do', async () => {
    const seen = sampleArguments()
    let lines: string[] = []
    const writes = await writesOf(async () => {
      lines = await planned(desired(everything))
    })
    expect(writes).toBe(0)
    expect(lines).toEqual([
      'create namespace contract',
      'create deployment web',
      'create secret web-secrets',
      'create service web',
      'create persistent volume claim web-data',
      'create cluster role contract-reader',
      'create cluster role binding contract-binding',
      'create stateful set store',
    ])
    const { made, events } = await settle(desired(everything))
    expect(made).toBe(everything.length)
    expect(JSON.stringify(events)).not.toContain(password)
    expect(await writesOf(() => settle(desired(everything)))).toBe(0)
    const args = await seen.stop()
    expect(args.some((line) => line.includes('kubectl') && line.includes('apply'))).toBe(true)
    const encoded = Buffer.from(password).toString('base64')
    expect(args.filter((line) => line.includes(password) || line.includes(encoded))).toEqual([])
    expect(await kubectl(`get secret web-secrets -n ${space} -o jsonpath={.data.PASSWORD}`)).toBe(encoded)
  })

  describe('reads', () => readTests(lab))

  it('shows every drift as itself and mends it', async () => {
    const patch = (what: string, patch: object) =>
      kubectl(`patch ${what} -n ${space} --type=merge -p ${JSON.stringify(patch)}`)
    const drifts: [string, () => Promise<unknown>, string][] = [
      [
        'replicas',
        () => kubectl(`scale deployment/web -n ${space} --replicas=2`),
        'update deployment web (took over from kubectl: spec.replicas)',
      ],
      [
        'image',
        () => kubectl(`set image deployment/web -n ${space} web=evil:1`),
        'update deployment web (took over from kubectl-set: spec.template.spec.containers[name=web].image) [restart]',
      ],
      [
        'variable',
        () => kubectl(`set env deployment/web -n ${space} GREETING=bye`),
        'update deployment web (took over from kubectl-set: spec.template.spec.containers[name=web].env[name=GREETING].value) [restart]',
      ],
      ['label', () => kubectl(`label deployment/web -n ${space} app.kubernetes.io/part-of-`), 'update deployment web'],
      [
        'secret',
        () => patch('secret/web-secrets', { data: { PASSWORD: 'YmFk' } }),
        'update secret web-secrets: PASSWORD (took over from kubectl-patch: data.PASSWORD)',
      ],
      ['deleted secret', () => kubectl(`delete secret web-secrets -n ${space}`), 'create secret web-secrets'],
      [
        'port',
        () => patch('service/web', { spec: { ports: [{ name: 'http', port: 80, targetPort: 9 }] } }),
        'update service web (took over from kubectl-patch: spec.ports[port=80,protocol=TCP].targetPort)',
      ],
      [
        'rights',
        () =>
          kubectl(
            'patch clusterrole/contract-reader --type=json -p [{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]',
          ),
        'update cluster role contract-reader (took over from kubectl-patch: rules)',
      ],
      ['deleted service', () => kubectl(`delete service web -n ${space}`), 'create service web'],
    ]
    for (const [what, damage, change] of drifts) {
      await damage()
      expect([what, ...(await planned(desired(everything)))]).toEqual([what, change])
      expect((await settle(desired(everything))).made).toBe(1)
    }
  })

  it('shows what changes as a diff, and of a secret only the names of its keys', async () => {
    const changed = without(deployment(), secretObject()).concat(deployment('web:2'), secretObject('an0ther-value-9c'))
    const plan = await makePlan(desired(changed), () => {})
    const text = JSON.stringify(plan.steps.map(({ decision }) => decision))
    expect(text).toContain('image: web:1')
    expect(text).toContain('image: web:2')
    for (const hidden of [password, 'an0ther-value-9c']) {
      expect(text).not.toContain(hidden)
      expect(text).not.toContain(Buffer.from(hidden).toString('base64'))
    }
    expect(await planned(desired(changed))).toEqual([
      'update deployment web [restart]',
      'update secret web-secrets: PASSWORD',
    ])
  })

  it('tells of what is no longer wanted, and removes it only with --prune; data never', async () => {
    const fewer = without(service(), claim())
    const plan = await makePlan(desired(fewer), () => {})
    expect(await planned(desired(fewer))).toEqual([])
    expect(notesOf(plan)).toEqual([
      'service web is not declared any more; deploy -- --prune removes it',
      expect.stringMatching(/^persistent volume claim web-data is not declared any more; it holds data/),
    ])
    await lab.as('somebody', { ...service(), metadata: { name: 'foreign', namespace: space } })
    expect(await planned(desired(fewer, { prune: true }))).toEqual(['remove service web'])
    await settle(desired(fewer, { prune: true }))
    expect(await kubectl(`get service,pvc -n ${space} -o name`)).toBe('service/foreign\npersistentvolumeclaim/web-data')
    await settle(desired(everything))
  })

  it('refuses what cannot be changed in place, with the reason, and writes nothing', async () => {
    const other = { selector: { matchLabels: { app: 'other' } } }
    const template = { metadata: { labels: { app: 'other' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
    const wrong: [KubeObject, RegExp][] = [
      [deployment('web:1', 0, { ...other, template }), /Deployment web cannot become as it shall be: .*immutable/],
      [claim('1Gi'), /PersistentVolumeClaim web-data cannot become .*(less than|immutable)/],
      [stateful('9Gi'), /stateful set store makes volumes of .* a claim template keeps its size/],
      [binding('view'), /ClusterRoleBinding contract-binding cannot become .*cannot change roleRef/],
    ]
    for (const [object, message] of wrong) {
      const work = desired([...without(object), object])
      let failure: Awaited<ReturnType<typeof failureOf>> | undefined
      expect(
        await writesOf(async () => {
          failure = await failureOf(settle(work))
        }),
      ).toBe(0)
      expect(failure?.message).toMatch(message)
      expect(failure?.remedy).toMatch(/never replaced|keeps its size|its data stay as they are/)
    }
  })

  it('adopts what Terraform made, changing only what differs', async () => {
    const old = 'adopted'
    const at = (object: KubeObject) => ({ ...object, metadata: { ...object.metadata, namespace: old, labels: {} } })
    await lab.as('Terraform', { ...namespaceObject, metadata: { name: old } })
    const rolling = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }
    await lab.as('Terraform', at(deployment('web:0', 0, rolling)), at(service()), at(secretObjectPlain))
    const inTurn = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }
    const ours = [at(deployment('web:1', 0, inTurn)), at(service()), at(secretObject())]
    const work = workOf(manifests(open(), ours, { script: 'adopt', workspace: 'lab', prune: true }))
    expect(await planned(work)).toEqual([
      'update deployment web (took over from Terraform: spec.strategy.rollingUpdate.maxSurge, spec.template.spec.containers[name=web].image) [downtime]',
      'update service web',
      'update secret web-secrets: label app.kubernetes.io/component, label app.kubernetes.io/managed-by, label app.kubernetes.io/part-of',
    ])
    const address = await kubectl(`get service web -n ${old} -o jsonpath={.spec.clusterIP}`)
    await settle(work)
    expect(await planned(work)).toEqual([])
    expect(await kubectl(`get service web -n ${old} -o jsonpath={.spec.clusterIP}`)).toBe(address)
    expect(await kubectl(`get secret web-secrets -n ${old} -o jsonpath={.data.OTHER}`)).toBe('a2VlcA==')
  })

  it('shows nothing of a Secret that kubectl apply made, whose values stand in an annotation as well', async () => {
    const theirs = { ...secretObjectPlain, metadata: { name: 'by-hand', namespace: space } }
    await kubectl('apply -f -', JSON.stringify(theirs))
    const ours = { ...theirs, metadata: { ...theirs.metadata, annotations: { note: 'ours' } } }
    const work = workOf(manifests(open(), [ours], { script: 'by-hand', workspace: 'lab', prune: false }))
    expect(await planned(work)).toEqual([
      'update secret by-hand: label app.kubernetes.io/component, label app.kubernetes.io/managed-by, label app.kubernetes.io/part-of, annotation note',
    ])
    const { events } = await settle(work)
    const written: string[] = []
    const sink = outletTo({ write: (text: string) => void written.push(text) })
    const plain = (_: unknown, text: string) => text
    const terminal = { out: sink, err: sink, paintOut: plain, paintErr: plain, animate: false, groups: false }
    for (const reporter of [jsonReporter(sink), prettyReporter({ ...terminal, diff: 'all', verbose: true })])
      for (const event of events) reporter.emit(event)
    const said = written.join('')
    expect(said).toContain('secret by-hand: label')
    // Nothing would have redacted what is not a known secret.
    expect(said).not.toContain(base64('keep'))
    expect(said).not.toContain('last-applied')
    expect(await planned(work)).toEqual([])
  })

  it('says what is wrong with the way to the cluster in one error, and changes nothing', async () => {
    const access = (user: object, server = lab.kube.server) => {
      const file = join(lab.folder, 'broken')
      const cluster = { server, 'certificate-authority': lab.kube.authority }
      const config = {
        clusters: [{ name: 'lab', cluster }],
        users: [{ name: 'lab', user }],
        contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
      }
      writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
      return () => readAccess(file, 'lab')
    }
    const { token } = lab.kube
    const failing = (options: Parameters<typeof open>[0]) =>
      failureOf(settle(desired(everything, { on: open(options) })))

    const expired = await failing({ access: access({ token: 'expired-token-of-long-ago' }) })
    expect([expired.kind, expired.message]).toEqual([
      'error',
      `${lab.kube.server} does not accept the credentials of context lab: expired or revoked`,
    ])
    const nobody = await failing({ access: access({ token, as: 'nobody' }) })
    expect(nobody.message).toMatch(
      /^user nobody may not (get|list|patch) \S+ in (namespace contract|the whole cluster)$/,
    )
    const away = await failing({ access: access({ token }, 'https://127.0.0.1:1') })
    expect([away.kind, away.message]).toEqual([
      'unreachable',
      'the Kubernetes API at https://127.0.0.1:1 does not answer',
    ])
    const plugin = {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/nonexistent/doctl', interactiveMode: 'Never' },
    }
    expect((await failing({ access: access(plugin) })).message).toMatch(
      /the program that signs in to the cluster failed/,
    )
    expect((await failing({ env: { PATH: '/nonexistent' } })).message).toBe('kubectl is not installed')
    expect(() => readAccess(lab.kube.kubeconfig, 'production')).toThrow('there is no context production in')
    expect(JSON.stringify([expired, nobody, away])).not.toContain(token)

    await lab.kube.pauseApiServer()
    const down = await failing({})
    await lab.kube.resumeApiServer()
    expect([down.kind, down.message]).toEqual([
      'unreachable',
      `the Kubernetes API at ${lab.kube.server} does not answer`,
    ])
    expect((await settle(desired(everything))).made).toBe(0)
  })

  it('waits for a cluster that an earlier step makes', async () => {
    let there = false
    const on = open({ access: () => (there ? readAccess(lab.kube.kubeconfig, 'lab') : undefined) })
    const work = desired(everything, { on })
    const plan = await makePlan(work, () => {})
    expect(on.name).toBe('kubernetes lab')
    expect(plan.steps[0]?.pending).toEqual(['kubernetes lab'])
    expect(await failureOf(settle(work))).toMatchObject({ message: 'there is no kubeconfig for kubernetes lab yet' })
    there = true
    expect(await planned(work)).toEqual([])
  })
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const secretObjectPlain: KubeObject = {
  ...secretObject(),
  data: { PASSWORD: base64(password), USER: base64('somebody-else'), OTHER: base64('keep') },
}
