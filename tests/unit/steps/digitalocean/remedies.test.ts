import type { Decision } from '@infra/shared/engine/step'
import type { EnvOf, Schema } from '@infra/shared/env/variable'
import type { DropletState } from '@infra/shared/facts/digitalocean/droplet'
import { existingDroplet } from '@infra/shared/facts/digitalocean/droplet'
import type { CloudFirewall } from '@infra/shared/facts/digitalocean/firewall'
import type { KubernetesState } from '@infra/shared/facts/digitalocean/kubernetes'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { droplet } from '@infra/shared/steps/digitalocean/droplet'
import { cloudFirewall } from '@infra/shared/steps/digitalocean/firewall'
import { kubernetesCluster } from '@infra/shared/steps/digitalocean/kubernetes'
import { noCluster } from '@infra/shared/steps/digitalocean/removal'
import { kubeconfig } from '@infra/shared/steps/kubernetes/kubeconfig'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../../cluster/env/env.ts'
import { podSchema } from '../../../../pod/env/env.ts'
import { examples, expectFree, follow, loaded, remedyOf, type Typed } from '../follow.ts'

const on = blank('an account')
const ahead = { pending: [] }
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA ana'

/** Decides, does what the remedy says to the environment, and decides again on what is there then. */
function followed<T extends Schema, F>(
  schema: T,
  { typed = {}, says, now, after = now, own, names = [], decide }: Way<T, F>,
): void {
  const before = { ...examples(schema), ...typed, ...(schema.workspace === 'pod' && { VALENCE_SSH_PUBKEY: publicKey }) }
  const remedy = remedyOf(decide(loaded(schema, before), now), says)
  for (const name of [...names, ...Object.keys(own ?? {})]) expect(remedy).toContain(name)
  expectFree(decide(loaded(schema, follow(before, remedy, own)), after))
}
interface Way<T extends Schema, F> {
  readonly typed?: Typed
  readonly says: RegExp
  readonly now: F
  /** What is there once the commands of the remedy were run: `names` are in it. */
  readonly after?: F
  readonly own?: Typed
  readonly names?: readonly string[]
  readonly decide: (env: EnvOf<T>, now: F) => Decision
}

const machine: DropletState = {
  ...{ id: 7, name: 'valence-pod', status: 'active', size: 's-2vcpu-4gb', region: 'nyc1', image: 'debian-12-x64' },
  ...{ address: '203.0.113.10', address6: undefined, tags: ['managed-by:infra'] },
}

describe('a droplet', () => {
  type Now = {
    found: DropletState[]
    offer: { monthly: number; regions: string[]; available: boolean } | null
    image: boolean
    tag: boolean
  }
  const offer = { monthly: 24, regions: ['nyc1', 'fra1'], available: true }
  const now: Now = { found: [], offer, image: true, tag: true }
  const decide = (env: EnvOf<typeof podSchema>, facts: Now) =>
    droplet(on, {
      ...{ name: env.VALENCE_DROPLET_NAME, image: env.VALENCE_DROPLET_IMAGE, size: env.VALENCE_DROPLET_SIZE },
      ...{ region: env.VALENCE_DROPLET_REGION, tag: 'managed-by:infra', keys: [] },
    }).plan({ ...facts, found: facts.found.filter(({ name }) => name === env.VALENCE_DROPLET_NAME) }, ahead)
  type Row = Omit<Way<typeof podSchema, Now>, 'decide'>
  test.each<[string, Row]>([
    [
      'of a size that is not known takes another one',
      {
        ...{ typed: { VALENCE_DROPLET_SIZE: 's-9vcpu' }, own: { VALENCE_DROPLET_SIZE: 's-2vcpu-4gb' } },
        ...{ says: /no droplet size/, now: { ...now, offer: null }, after: now },
      },
    ],
    [
      'of a size that is not offered in the region takes one where it is',
      {
        ...{ own: { VALENCE_DROPLET_REGION: 'fra1' }, says: /does not offer/, names: ['It is offered in fra1'] },
        ...{ now: { ...now, offer: { ...offer, regions: ['fra1'] } } },
      },
    ],
    [
      'of a size that is sold out takes another one',
      {
        ...{ own: { VALENCE_DROPLET_SIZE: 's-4vcpu-8gb' }, says: /does not offer/, names: ['doctl compute size list'] },
        ...{ now: { ...now, offer: { ...offer, available: false } }, after: now },
      },
    ],
    [
      'of an image that is not known takes another one',
      {
        ...{ typed: { VALENCE_DROPLET_IMAGE: 'debian-99' }, own: { VALENCE_DROPLET_IMAGE: 'debian-12-x64' } },
        ...{ says: /no image/, now: { ...now, image: false }, after: now },
      },
    ],
    [
      'in another region is kept by the variable',
      { says: /never moved or replaced/, now: { ...now, found: [{ ...machine, region: 'fra1' }] } },
    ],
    [
      'in another region is left alone by another name',
      {
        ...{
          says: /never moved or replaced/,
          own: { VALENCE_DROPLET_NAME: 'valence-pod-2', VALENCE_DROPLET_REGION: 'nyc1' },
        },
        now: { ...now, found: [{ ...machine, region: 'fra1' }] },
      },
    ],
    [
      'of another size is kept by the variable',
      { says: /never resized or replaced/, now: { ...now, found: [{ ...machine, size: 's-1vcpu-1gb' }] } },
    ],
    [
      'of another size is resized by the command',
      {
        ...{ says: /never resized or replaced/, own: { VALENCE_DROPLET_SIZE: 's-2vcpu-4gb' } },
        names: ['doctl compute droplet-action resize 7 --size s-2vcpu-4gb --wait'],
        ...{ now: { ...now, found: [{ ...machine, size: 's-1vcpu-1gb' }] }, after: { ...now, found: [machine] } },
      },
    ],
    [
      'that is off is switched on by the command',
      {
        ...{ says: /powered off/, names: ['doctl compute droplet-action power-on 7 --wait'] },
        ...{ now: { ...now, found: [{ ...machine, status: 'off' }] }, after: { ...now, found: [machine] } },
      },
    ],
    [
      'that has a twin stays when that is renamed',
      {
        ...{ says: /2 droplets of the name/, names: ['doctl compute droplet-action rename ID --droplet-name NAME'] },
        now: { ...now, found: [machine, { ...machine, id: 8 }] },
        after: { ...now, found: [machine, { ...machine, id: 8, name: 'other' }] },
      },
    ],
  ])('%s', (_, row) => followed(podSchema, { ...row, decide }))
})

/** The numbers that a command of doctl ends with. */
const deleted = (remedy: string, command: string) => {
  const [, ids = ''] = remedy.match(new RegExp(`doctl ${command} ([\\w-]+(?: [\\w-]+)*?)(?= leaves|$)`)) ?? []
  return ids.split(' ')
}

test.each([
  ['one of another machine', ['198.51.100.7', '203.0.113.10'], '= '],
  ['several of other machines', ['198.51.100.7', '198.51.100.8', '203.0.113.10'], '= '],
  ['none of the machine', ['198.51.100.7', '198.51.100.8'], '+ '],
])('A records of a name, %s: the command leaves that of the machine', (_, addresses) => {
  const records = addresses.map((data, at) => ({ id: 30 + at, type: 'A', name: 'pod', data, ttl: 60 }))
  const held = { what: 'the droplet', address: existingDroplet('valence-pod'), dependsOn: [] }
  const served = { addresses: ['203.0.113.10'], addresses6: [], unasked: null }
  const plan = (list: typeof records) =>
    addressRecord(on, 'pod.example.com', held).plan(
      { holder: machine, served, 'pod.example.com': null, 'example.com': list } as never,
      ahead,
    )
  const gone = deleted(remedyOf(plan(records), /A records/), 'compute domain records delete example.com')
  const left = records.filter(({ id }) => !gone.includes(String(id)))
  expect(left.map(({ data }) => data)).toEqual(addresses.filter((data) => data === machine.address))
  expectFree(plan(left))
})

test('an alias goes by the command, and the record comes', () => {
  const held = { what: 'the droplet', address: existingDroplet('valence-pod'), dependsOn: [] }
  const served = { addresses: ['203.0.113.10'], addresses6: [], unasked: null }
  const alias = { id: 5, type: 'CNAME', name: 'pod', data: 'x.example.net.', ttl: 60 }
  const plan = (list: object[]) =>
    addressRecord(on, 'pod.example.com', held).plan(
      { holder: machine, served, 'pod.example.com': null, 'example.com': list } as never,
      ahead,
    )
  expect(deleted(remedyOf(plan([alias]), /is an alias/), 'compute domain records delete example.com')).toEqual(['5'])
  expectFree(plan([]))
})

test('of cloud firewalls of one name the command leaves one', () => {
  const made = cloudFirewall(on, { name: 'pod', droplet: 'valence-pod', tcp: [22], dependsOn: [] })
  const one = (id: string): CloudFirewall => ({ id, name: 'pod', inbound: [], outbound: [], droplets: [7], tags: [] })
  const found = ['f-1', 'f-2', 'f-3'].map(one)
  const plan = (found: CloudFirewall[]) => made.plan({ droplet: machine as never, found }, ahead)
  const gone = deleted(remedyOf(plan(found), /3 cloud firewalls/), 'compute firewall delete')
  expect(gone).toEqual(['f-2', 'f-3'])
  expectFree(plan(found.filter(({ id }) => !gone.includes(id))))
})

describe('a Kubernetes cluster', () => {
  const running: KubernetesState = {
    ...{ id: 'bd5f5959', name: 'discord-bot-cluster', region: 'tor1', version: '1.36.3-do.0', ha: false },
    ...{ autoUpgrade: true, state: 'running', endpoint: 'https://x.example.com', tags: [], pools: [] },
  }
  const offer = { regions: ['tor1', 'fra1'], versions: ['1.36.3-do.0'], sizes: ['s-4vcpu-8gb', 's-2vcpu-4gb'] }
  const size = { monthly: 48, regions: ['tor1', 'fra1'], available: true }
  type Now = { found: KubernetesState[]; offer: typeof offer; size: typeof size }
  const now: Now = { found: [], offer, size }
  const decide = (env: EnvOf<typeof clusterSchema>, facts: Now, create = true) =>
    kubernetesCluster(on, {
      ...{ name: env.DO_CLUSTER_NAME, region: env.DO_CLUSTER_REGION, version: env.DO_CLUSTER_VERSION },
      ...{ size: env.DO_NODE_SIZE, count: 2, ha: false, autoUpgrade: true, tag: 'managed-by:infra', create },
      ...{ createCommand: 'npm run deploy -w cluster -- --create', prices: { nodes: {}, ha: 40 } },
    }).plan({ ...facts, found: facts.found.filter(({ name }) => name === env.DO_CLUSTER_NAME) }, ahead)
  type Row = Omit<Way<typeof clusterSchema, Now>, 'decide'>
  test.each<[string, Row]>([
    [
      'of a version that is not offered takes one of the list',
      {
        ...{ typed: { DO_CLUSTER_VERSION: '1.20' }, own: { DO_CLUSTER_VERSION: '1.36.3-do.0' }, now },
        ...{ says: /no version 1\.20/, names: ['one of: latest, 1.36.3-do.0'] },
      },
    ],
    [
      'in a region that is not offered takes one of the list',
      {
        ...{ typed: { DO_CLUSTER_REGION: 'nyc1' }, own: { DO_CLUSTER_REGION: 'fra1' }, now },
        ...{ says: /no region nyc1/, names: ['one of: tor1, fra1'] },
      },
    ],
    [
      'of a node size that is not offered takes one of the list',
      {
        ...{ typed: { DO_NODE_SIZE: 's-1vcpu-1gb' }, own: { DO_NODE_SIZE: 's-2vcpu-4gb' }, now },
        ...{ says: /no node size s-1vcpu-1gb/, names: ['one of: s-4vcpu-8gb, s-2vcpu-4gb'] },
      },
    ],
    [
      'of a size that the region has not takes one where it is',
      {
        ...{ says: /does not offer s-4vcpu-8gb in tor1/, own: { DO_CLUSTER_REGION: 'fra1' }, names: ['one of: fra1'] },
        now: { ...now, size: { ...size, regions: ['fra1'] } },
      },
    ],
    [
      'of a size that is sold out takes another one, which is told',
      {
        ...{ says: /does not offer s-4vcpu-8gb in tor1/, own: { DO_NODE_SIZE: 's-2vcpu-4gb' } },
        names: ['It is sold out everywhere. Set DO_NODE_SIZE to another size (s-2vcpu-4gb)'],
        ...{ now: { ...now, size: { ...size, available: false, regions: [] } }, after: now },
      },
    ],
    [
      'that has a twin gets a name of its own',
      {
        ...{ says: /2 Kubernetes clusters of the name/, own: { DO_CLUSTER_NAME: 'the-right-one' } },
        names: ['doctl kubernetes cluster update ID --cluster-name NAME; the IDs: bd5f5959, other'],
        now: { ...now, found: [running, { ...running, id: 'other' }] },
        after: {
          ...now,
          found: [
            { ...running, name: 'the-right-one' },
            { ...running, id: 'other' },
          ],
        },
      },
    ],
    [
      'that is in error is made anew when it is gone',
      {
        ...{ says: /is error/, names: ['doctl kubernetes cluster get bd5f5959', 'when it is gone, run again'] },
        ...{ now: { ...now, found: [{ ...running, state: 'error' }] }, after: now },
      },
    ],
  ])('%s', (_, row) => followed(clusterSchema, { ...row, decide }))

  test('that is not there is made by --create, or another one is used', () => {
    const typed = examples(clusterSchema)
    const env = loaded(clusterSchema, typed)
    const remedy = remedyOf(decide(env, now, false), /there is no Kubernetes cluster/)
    expect(remedy).toContain('npm run deploy -w cluster -- --create')
    expectFree(decide(env, now, true))
    const other = loaded(clusterSchema, follow(typed, remedy, { DO_CLUSTER_NAME: 'another' }))
    expectFree(decide(other, { ...now, found: [{ ...running, name: 'another' }] }, false))
  })

  test('that was not made here is left, or deleted by the command', () => {
    const cluster = running as never
    const made = noCluster(on, { cluster, name: running.name, tag: 'mine', kubeconfig: '/k', dependsOn: [] })
    const plan = (found: KubernetesState[]) => made.plan({ found, file: null }, ahead)
    expect(deleted(remedyOf(plan([running]), /was not made here/), 'kubernetes cluster delete')).toEqual([running.id])
    expectFree(plan([]))
  })

  test('is signed in to once doctl is installed', () => {
    const options = { cluster: running.name, path: '/p/.infra/k', shown: '.infra/k', dependsOn: [] }
    const plan = (doctl: boolean) => kubeconfig(on, options).plan({ cluster: running, now: null, doctl }, ahead)
    expect(remedyOf(plan(false), /doctl is not installed/)).toContain('snap install doctl')
    expectFree(plan(true))
  })
})
