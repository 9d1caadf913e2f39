import type { Step } from '@infra/shared/engine/step'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { dnsRecord, loadBalancer, noLoadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it } from 'vitest'
import { told } from '../told.ts'
import { says } from './says.ts'

const on = blankKubernetes()
const decide = (step: Step, now: Record<string, unknown>) => told(step.plan(now as never, { pending: [] }))

describe('a load balancer', () => {
  const step = loadBalancer(on, {
    ...{
      namespace: 'n',
      service: 'caddy',
      domain: 'stoat.example.com',
      price: '$12',
      remedy: 'ask the cloud',
      timeoutSeconds: 60,
      dependsOn: [],
    },
  })
  it('is waited for, and then tells the DNS record', () => {
    expect(decide(step, { now: null })).toEqual(['~ load balancer of caddy ($12)'])
    const now = serviceAddress('n', 'caddy').parse(
      says({ spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } }),
    )
    expect(decide(step, { now })).toEqual(['= 203.0.113.7'])
    expect(step.plan({ now } as never, { pending: [] })).toMatchObject({
      notes: ['stoat.example.com must lead to it: stoat.example.com. A 203.0.113.7'],
    })
  })
  it('that does not come is told with what the cloud says, and with what helps', () => {
    const decision = step.plan({ now: null } as never, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const stderr = 'error: timed out waiting for the condition\nthe cloud says: you have reached the limit'
    expect(change?.explain?.({ code: 1, stdout: '', stderr })).toEqual({
      cause: 'no load balancer came in 60 seconds; the cloud says: you have reached the limit',
      remedy: 'ask the cloud',
    })
  })
  it('that goes is named with its address, and with the record that must go', () => {
    const gone = noLoadBalancer(on, {
      ...{ namespace: 'n', service: 'caddy', domain: 'stoat.example.com', timeoutSeconds: 60, dependsOn: [] },
    })
    const now = { type: 'LoadBalancer', addresses: ['203.0.113.7'] }
    expect(decide(gone, { now })).toEqual(['- load balancer of caddy, with its address 203.0.113.7'])
    expect(gone.plan({ now } as never, { pending: [] })).toMatchObject({
      notes: [expect.stringContaining('stoat.example.com. A 203.0.113.7, delete it')],
    })
    expect(decide(gone, { now: { type: 'ClusterIP', addresses: [] } })).toEqual(['= there is none'])
    expect(decide(gone, { now: null })).toEqual(['= there is none'])
  })
  it.each([
    ['203.0.113.7', 's. A 203.0.113.7'],
    ['2001:db8::1', 's. AAAA 2001:db8::1'],
    ['lb.example.com', 's. CNAME lb.example.com.'],
  ])('%s', (address, record) => {
    expect(dnsRecord('s', address)).toBe(record)
  })
})
