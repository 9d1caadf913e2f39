import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { costOf, sayPrice, totalPrice } from '@infra/shared/engine/cost'
import { sampleEnv } from '@infra/shared/env/sample'
import { jsonReporter } from '@infra/shared/report/json'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/cluster.ts'
import pod from '../../../pod/pod.ts'
import provision from '../../../pod/provision/provision.ts'
import stoat from '../../../stoat/stoat.ts'
import { Memory } from '../../support/sink.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/events.schema.json'), 'utf8'))
const isEvent = new Ajv2020({ formats: { 'date-time': true } }).compile(schema)

const workspaces = { pod, provision, cluster, stoat }
const kubeconfig = { KUBECONFIG: '/nope', KUBE_CONTEXT: 'theirs' }

/** What a workspace with its sample values, and these, is estimated to cost. */
function estimate(name: keyof typeof workspaces, values: object = {}) {
  const { schema, open, cost } = workspaces[name]
  const env = { ...sampleEnv(schema), DIGITALOCEAN_TOKEN: undefined, ...values }
  return cost?.(open({ env, offline: true, folder: '/nope' }).context)
}

describe('what a workspace costs', () => {
  test.each<[keyof typeof workspaces, object, string]>([
    ['pod', { DIGITALOCEAN_TOKEN: 'x' }, '~$24'],
    ['pod', { DIGITALOCEAN_TOKEN: 'x', VALENCE_DROPLET_SIZE: 's-4vcpu-8gb' }, '~$48'],
    ['provision', { DIGITALOCEAN_TOKEN: 'x' }, '~$24'],
    ['cluster', {}, '~$100–125'],
    ['stoat', {}, '~$15.60'],
    ['stoat', { STOAT_GATEWAY: 'cluster-ip', STOAT_MONGODB_STORAGE: '1Ti', STOAT_S3_ENDPOINT: 'https://x' }, '~$103'],
  ])('of %s %j is data in --json, by the schema: %s', (name, values, total) => {
    const cost = estimate(name, values)
    if (!cost) return expect.unreachable()
    const out = new Memory()
    jsonReporter(out.outlet).emit({ type: 'cost', ...cost })
    const told = JSON.parse(out.text.trim().split('\n').at(-1) ?? '')
    expect(isEvent(told) ? [] : isEvent.errors).toEqual([])
    expect(told).toMatchObject({ type: 'cost', currency: 'USD', per: 'month', total })
    for (const item of told.items) expect(item).toMatchObject({ what: expect.any(String), least: expect.any(Number) })
    const sum = told.items.reduce((all: number, { least }: { least: number }) => all + least, 0)
    expect(told.least).toBeCloseTo(sum, 2)
    expect(isEvent({ ...told, least: '$24' })).toBe(false)
    expect(isEvent({ ...told, per: undefined })).toBe(false)
  })

  test.each<[keyof typeof workspaces, object]>([
    ['pod', {}],
    ['pod', { DIGITALOCEAN_TOKEN: 'x', VALENCE_DROPLET_SIZE: 'c-2' }],
    ['stoat', kubeconfig],
    ['stoat', { STORAGE_CLASS: 'standard', STOAT_GATEWAY: 'http-route' }],
  ])('of %s %j nobody knows', (name, values) => {
    expect(estimate(name, values)).toBeUndefined()
  })
})

test('a sum has an upper end where each item has one', () => {
  const items = [
    { what: 'a', least: 0.1, most: 0.2 },
    { what: 'b', least: 0.2, most: 4 },
  ]
  expect(costOf('2026-11-24', items)).toMatchObject({ least: 0.3, most: 4.2, total: '~$0.30–4.20' })
  const open = costOf('2026-11-24', [...items, { what: 'c', least: 5 }])
  expect(totalPrice(open)).toEqual({ currency: 'USD', per: 'month', least: 5.3 })
  expect([open.total, sayPrice({ least: 5, most: 5 })]).toEqual(['~$5.30+', '$5'])
})
