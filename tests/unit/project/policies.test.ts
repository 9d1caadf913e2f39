import type { KubeObject } from '@infra/shared/command/kubectl'
import { redisClients } from '@infra/shared/platform/names'
import { anyAddress, publicAddresses, toUrl } from '@infra/shared/platform/networks'
import { describe, expect, it, test } from 'vitest'
import { networkPolicies as clusterPolicies } from '../../../cluster/manifests/network.ts'
import { networkPolicies as stoatPolicies } from '../../../stoat/manifests/network.ts'
import { connections } from '../../lab/policy-connections.ts'

const declared = [...clusterPolicies({ litellm: 'http://llm.ai.svc:4000', sandboxReads: true }), ...stoatPolicies()]

describe('every NetworkPolicy that is declared', () => {
  it('has a row of real connections in the lab, and no row is of another', () => {
    expect(Object.keys(connections).sort()).toEqual(declared.map(({ metadata }) => metadata.name).sort())
  })

  it.each(declared.map((object) => [object.metadata.name, object] as const))(
    '%s lets one through and denies one, and selects by label',
    (name, object) => {
      expect(connections[name]?.open.length).toBeGreaterThan(0)
      expect(connections[name]?.closed.length).toBeGreaterThan(0)
      const { podSelector } = object.spec as { podSelector: Record<string, unknown> }
      expect(Object.keys(podSelector)).toHaveLength(1)
    },
  )

  it.each(declared.map((object) => [object.metadata.name, object] as const))(
    '%s declares its rules, so that one which somebody adds is drift',
    (_, { spec }) => {
      const { policyTypes, ...rest } = spec as { policyTypes: string[] }
      expect(rest).toMatchObject(Object.fromEntries(policyTypes.map((type) => [type.toLowerCase(), expect.any(Array)])))
    },
  )

  it('has connections that stand in one row only: what one policy opens, none denies', () => {
    const rows = Object.values(connections)
    const open = new Set(rows.flatMap((row) => row.open))
    expect(rows.flatMap(({ closed }) => closed.filter((one) => open.has(one)))).toEqual([])
  })
})

test('only pods that are named get to Redis', () => {
  const redis = declared.filter(({ spec }) =>
    JSON.stringify(spec).includes('"podSelector":{"matchLabels":{"app":"redis"}}'),
  )
  const rules = redis.flatMap(({ spec }) => (spec as { ingress?: { from?: object[] }[] }).ingress ?? [])
  const clients = { key: 'app', operator: 'In', values: [...redisClients] }
  expect(rules.map(({ from }) => from)).toEqual([[{ podSelector: { matchExpressions: [clients] } }]])
  expect(redisClients).not.toContain('dev-sandbox')
})

test('where a URL leads is a namespace, or a port outside', () => {
  const namespace = (name: string) => [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }]
  expect(toUrl('http://litellm.ai-platform.svc.cluster.local:4000').to).toEqual(namespace('ai-platform'))
  expect(toUrl('http://litellm.ai.svc').to).toEqual(namespace('ai'))
  expect(toUrl('https://litellm.example.com/v1')).toEqual(anyAddress(443))
  expect(toUrl('http://10.1.2.3:4000')).toEqual(anyAddress(4000))
  expect(toUrl('http://svc.example.com')).toEqual(anyAddress(80))
})

test('no address where a cloud hands out credentials is reached by any rule', () => {
  const metadata = ['169.254.0.0/16', '168.63.129.16/32']
  const blocks = (object: KubeObject) =>
    ((object.spec as { egress?: { to?: { ipBlock?: { cidr: string; except?: string[] } }[] }[] }).egress ?? [])
      .flatMap(({ to }) => to ?? [])
      .flatMap(({ ipBlock }) => (ipBlock?.cidr === '0.0.0.0/0' ? [ipBlock.except ?? []] : []))
  const all = declared.flatMap(blocks)
  expect(all.length).toBeGreaterThan(5)
  for (const except of all) expect(except).toEqual(expect.arrayContaining(metadata))
  expect(publicAddresses()).not.toHaveProperty('ports')
})
