import type { Decision } from '@infra/shared/engine/step'
import { namespaceContents } from '@infra/shared/facts/kubernetes/contents'
import { otherMakers } from '@infra/shared/facts/kubernetes/makers'
import { type OwnObject, ownExtension } from '@infra/shared/facts/kubernetes/objects'
import { noObjects } from '@infra/shared/steps/kubernetes/removal'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it, test } from 'vitest'
import { told } from '../told.ts'

const ahead = { pending: [] }
const notes = (decision: Decision) => (decision.kind === 'refused' ? [] : (decision.notes ?? []))

describe('objects of a cluster', () => {
  const object = (kind: string, name: string) => ({ kind, name, namespace: 'bot' }) as OwnObject
  const own = [
    { ...object('Namespace', 'bot'), namespace: undefined },
    object('Secret', 's'),
    object('PersistentVolumeClaim', 'work'),
    object('Deployment', 'd'),
    object('Service', 'd'),
  ]
  const claims = [
    { name: 'work', app: undefined, size: '10Gi' },
    { name: 'data-redis-0', app: 'redis', size: '1Gi' },
    { name: 'of-others', app: 'mongo', size: '5Gi' },
  ]
  const standing = (...names: string[]) =>
    names.map((name) => ({ kind: name.split(' ')[0] ?? '', name: name.split(' ')[1] ?? '' }))
  const ourVolumes = ['PersistentVolumeClaim work', 'PersistentVolumeClaim data-redis-0']
  const holding = (...names: string[]) => ({
    objects: standing('Secret s', 'Deployment d', 'Service d', ...ourVolumes, ...names),
    untold: undefined,
  })
  const contents = holding('PersistentVolumeClaim of-others')
  const plan = (confirmed: string[], more: object = {}) =>
    noObjects(blank('k'), { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed }).plan(
      { own, claims, contents, makers: new Map(), ...more },
      ahead,
    )
  const both = ['work', 'data-redis-0']

  it('go in order, without their volumes', () => {
    const decision = plan([])
    expect(told(decision)).toEqual(['- deployment d', '- service d', '- secret s'])
    expect(notes(decision)).toEqual([
      'volume work (10Gi) is kept, with what it holds, and is billed on',
      'volume data-redis-0 (1Gi) is kept, with what it holds, and is billed on',
      'namespace bot is kept: persistent volume claim of-others is not ours',
    ])
  })

  it('leave the keys of the volumes as long as one of those stays, and after that until they are named', () => {
    const keys = [{ name: 's', copy: 'show-keys' }]
    const withKeys = (...confirmed: string[]) =>
      noObjects(blank('k'), {
        ...{ workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed, keys },
      }).plan({ own, claims: claims.slice(0, 2), contents: holding(), makers: new Map() }, ahead)
    for (const confirmed of [['work'], ['work', 's']]) {
      expect(told(withKeys(...confirmed))).not.toContain('- secret s')
      expect(notes(withKeys(...confirmed))).toContain(
        'secret s is kept: without it the volumes cannot be read (a copy: show-keys)',
      )
    }
    expect(told(withKeys(...both))).toEqual(expect.not.arrayContaining(['- secret s', '- namespace bot']))
    expect(notes(withKeys(...both))).toEqual([
      'secret s is kept: without it no copy of the volumes can be read (a copy: show-keys); --data --confirm s takes it too',
    ])
    const decision = withKeys(...both, 's')
    expect(told(decision)).toEqual(expect.arrayContaining(['- secret s', '- namespace bot']))
    expect(decision.kind === 'changes' && decision.changes.find(({ say }) => say === 'secret s')?.risk).toBe('data')
  })

  it('leave the keys that others made until they are named, once', () => {
    const keys = [{ name: 's', copy: 'show-keys' }]
    const confirmed = [...both, 's']
    const options = { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed, keys }
    const makers = new Map([['Secret bot/s', 'HashiCorp']])
    const facts = { own, claims: claims.slice(0, 2), contents: holding(), makers }
    expect(told(noObjects(blank('k'), options).plan(facts, ahead))).toContain('- secret s')
  })

  it.each(['Secret', 'ConfigMap'])('leave a %s that tells of the volumes as long as one of those stays', (kind) => {
    const facts = { own: [...own, object(kind, 'tells')], claims: claims.slice(0, 2), contents, makers: new Map() }
    const plan = (confirmed: string[]) => {
      const options = { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed, withVolumes: ['tells'] }
      return noObjects(blank('k'), options).plan(facts, ahead)
    }
    const said = kind === 'Secret' ? 'secret tells' : 'config map tells'
    expect(told(plan(['work']))).not.toContain(`- ${said}`)
    expect(notes(plan(['work']))).toContain(`${said} is kept: it tells of the volumes`)
    expect(told(plan(both))).toContain(`- ${said}`)
  })

  it('leave what an adopted workload that stays cannot start without', () => {
    const account = object('ServiceAccount', 'sa')
    const needs = new Map([['Deployment bot/d', new Set(['ServiceAccount bot/sa'])]])
    const facts = { own: [...own, account], makers: new Map([['Deployment bot/d', 'HashiCorp']]), needs }
    expect(told(plan([], facts))).not.toContain('- service account sa')
    expect(notes(plan([], facts))).toContain('service account sa is kept: deployment d needs it')
    expect(told(plan(['deployment/d'], facts))).toContain('- service account sa')
  })

  it('take along what only some clusters know', () => {
    const more = [{ ...object('HTTPRoute', 'door'), component: 'web' }]
    const options = { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed: [], extension: 'httproutes' }
    const decision = noObjects(blank('k'), options).plan({ own, claims, contents, makers: new Map(), more }, ahead)
    expect(told(decision)[0]).toBe('- http route door')
  })

  it('go with the volumes that were named, never with those of others', () => {
    expect(told(plan(['work', 'of-others']))).toEqual([
      ...['- deployment d', '- service d', '- secret s', '- volume work (10Gi), all it holds'],
    ])
  })

  it('take the namespace along when nothing else is in it', () => {
    const alone = { claims: claims.slice(0, 2), contents: holding() }
    const decision = plan(both, alone)
    expect(told(decision).at(-1)).toBe('- namespace bot')
    expect(decision.kind === 'changes' && decision.changes.at(-1)?.risk).toBe('data')
    expect(told(plan(['work'], alone))).not.toContain('- namespace bot')
  })

  it.each<[string, object, string]>([
    ['a Secret of others', holding('Secret stoat-secrets'), 'secret stoat-secrets is not ours'],
    [
      'much of others',
      holding(...Array.from({ length: 14 }, (_, at) => `ConfigMap c${at}`)),
      'config map c0, config map c1, config map c2, config map c3, config map c4, config map c5, config map c6, config map c7, config map c8, config map c9, config map c10, config map c11 and 2 more are not ours',
    ],
    ['what cannot be listed', { ...holding(), untold: 'error: x' }, 'not all that is in it can be listed: error: x'],
  ])('leave it to %s', (_, contents, why) => {
    const decision = plan(both, { claims: claims.slice(0, 2), contents })
    expect(told(decision)).not.toContain('- namespace bot')
    expect(notes(decision)).toEqual([`namespace bot is kept: ${why}`])
  })

  it('stay when others had made them, until their names are typed', () => {
    const makers = new Map([
      ['Deployment bot/d', 'Terraform'],
      ['Deployment bot/applied', 'kubectl'],
      ['Namespace /bot', 'kubectl-create'],
    ])
    const adopted = { claims: claims.slice(0, 2), contents: holding(), makers }
    const kept = plan(both, adopted)
    expect(told(kept).filter((line) => !line.includes('volume'))).toEqual(['- service d', '- secret s'])
    expect(notes(kept)).toEqual([
      'deployment d is kept: Terraform had made it; --data --confirm deployment/d takes it too',
      'namespace bot is kept: kubectl-create had made it; --data --confirm namespace/bot takes it too',
    ])
    expect(told(plan([...both, 'namespace/bot'], adopted))).not.toContain('- namespace bot')
    const named = plan([...both, 'deployment/d', 'namespace/bot'], adopted)
    expect(told(named)).toEqual([
      ...['- deployment d', '- service d', '- secret s'],
      ...['- volume work (10Gi), all it holds', '- volume data-redis-0 (1Gi), all it holds', '- namespace bot'],
    ])
    expect(named.kind === 'changes' && named.changes[0]?.risk).toBe('data')
  })

  it('are none where there is no cluster', () => {
    expect(told(plan([], { own: [], claims: [], contents: { objects: [], untold: undefined } }))).toEqual([
      '= there are none',
    ])
  })
})

describe('what stands in a namespace', () => {
  const parse = (stdout: string, stderr = '') => namespaceContents('bot').parse({ code: 0, stdout, stderr })
  const rows = (...lines: string[]) => parse(lines.join('\n')).objects.map(({ kind, name }) => `${kind} ${name}`)

  it.each<[string, string[], string[]]>([
    ['a Secret', ['Secret stoat-secrets u1 <none> <none> <none>'], ['Secret stoat-secrets']],
    [
      'what Kubernetes puts in each',
      ['ConfigMap kube-root-ca.crt u1 <none> <none> <none>', 'ServiceAccount default u2 <none> <none> <none>'],
      [],
    ],
    [
      'what goes with its owner, and its owner',
      ['Widget w u1 <none> <none> <none>', 'Secret w-tls u2 <none> u1 Widget', 'Pod p u3 <none> u4 ReplicaSet'],
      ['Widget w'],
    ],
    ['what belongs to the whole cluster', ['Secret s u1 <none> u9 ClusterWidget'], ['Secret s']],
    ['what is on its way out', ['Job j u1 2026-11-24T12:00:00Z <none> <none>'], []],
    [
      'the addresses of a Service',
      [
        'Service d u1 <none> <none> <none>',
        'Endpoints d u2 <none> <none> <none>',
        'Endpoints mine u3 <none> <none> <none>',
      ],
      ['Service d', 'Endpoints mine'],
    ],
    ['what two groups list', ['Ingress i u1 <none> <none> <none>', 'Ingress i u1 <none> <none> <none>'], ['Ingress i']],
  ])('%s', (_, lines, found) => {
    expect(rows(...lines)).toEqual(found)
  })

  it('may be more than could be listed', () => {
    const said = 'Warning: v1 Endpoints is deprecated\nerror: unable to retrieve the complete list of server APIs: x\n'
    expect(parse('', said).untold).toBe('error: unable to retrieve the complete list of server APIs: x')
    expect(parse('', 'Warning: v1 Endpoints is deprecated\n').untold).toBeUndefined()
  })
})

test('who had made what was adopted is told by whose its fields are', () => {
  const ours = 'Apply infra f:metadata f:spec'
  const lines = [
    `Deployment\tbot\td\t${ours}\tUpdate Terraform f:metadata f:spec`,
    `Deployment\tbot\tours\t${ours}\tUpdate kubectl-rollout f:spec\tApply infra-key f:spec\tUpdate kube-controller-manager f:metadata`,
    `Deployment\tbot\tundone\t${ours}\tUpdate kubectl f:spec`,
    `Deployment\tbot\tapplied\t${ours}\tApply kubectl f:spec`,
    'Service\tbot\tlabelled\tApply infra f:spec\tUpdate cert-manager f:metadata',
    'Namespace\t\tbot\tApply infra f:metadata\tUpdate kubectl-create f:metadata made',
    'Namespace\t\tours\tApply infra f:metadata made\tUpdate Old Manager f:metadata',
    'Secret\tbot\tspaced\tUpdate Some Program f:data f:type',
  ]
  expect([...otherMakers('cluster').parse({ code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' })]).toEqual([
    ['Deployment bot/d', 'Terraform'],
    ['Deployment bot/applied', 'kubectl'],
    ['Namespace /bot', 'kubectl-create'],
    ['Secret bot/spaced', 'Some Program'],
  ])
})

describe('objects of a kind that not every cluster knows', () => {
  const { command, parse } = ownExtension('stoat', 'httproutes.gateway.networking.k8s.io')
  it('are asked for by the labels of the workspace', () => {
    expect(command.line).toContain('get httproutes.gateway.networking.k8s.io -A -l')
    expect(parse({ code: 0, stdout: 'HTTPRoute bot door gateway\n', stderr: '' })).toEqual([
      { kind: 'HTTPRoute', namespace: 'bot', name: 'door', component: 'gateway' },
    ])
  })
  it('are none where it is not known, and not where nobody can tell', () => {
    const stderr = 'error: the server doesn\'t have a resource type "httproutes"'
    expect(parse({ code: 1, stdout: '', stderr })).toEqual([])
    expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server: away' })).toThrow('away')
  })
})
