import { nothing } from '@infra/shared/command/command'
import { sayOpenPort } from '@infra/shared/command/open-port'
import { collect } from '@infra/shared/engine/declaration'
import { openPorts } from '@infra/shared/env/open-ports'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import pod from '../../../pod/pod.ts'
import { told } from '../steps/told.ts'
import { loadPod } from './load-pod.ts'
import { podFile } from './place.ts'

describe('ports that stay open beside those of the deployment', () => {
  test.each<[string, string[]]>([
    ['3478/udp', ['3478/udp']],
    ['3478', ['3478/tcp']],
    ['3478/udp,51820/udp, 5349/tcp from 10.0.0.0/8', ['3478/udp', '51820/udp', '5349/tcp from 10.0.0.0/8']],
    ['49152-65535/udp', ['49152-65535/udp']],
    ['49152:65535/UDP', ['49152-65535/udp']],
    ['80/tcp from 192.0.2.7', ['80/tcp from 192.0.2.7']],
    ['80/tcp from 192.0.2.7/32', ['80/tcp from 192.0.2.7']],
    ['80/tcp from 2001:DB8:0::/32', ['80/tcp from 2001:db8::/32']],
    ['80/tcp from any', ['80/tcp']],
    ['80,80/tcp,', ['80/tcp']],
  ])('%s', (text, desired) => {
    expect(openPorts().parse(text).map(sayOpenPort)).toEqual(desired)
  })

  test.each<[string, RegExp]>([
    ['http', /"http", which is not a port/],
    ['3478/icmp', /icmp is neither tcp nor udp/],
    ['0', /from 1 to 65535/],
    ['70000/tcp', /from 1 to 65535/],
    ['65535-49152/udp', /the lower one first/],
    ['80/tcp from nowhere', /not a network/],
    ['80/tcp from 10.0.0.0/33', /not a network/],
    ['80/tcp from 0.0.0.0/0', /every address/],
    ['80/tcp from 10.1.2.3/8', /within a network/],
    ['80/tcp from 2001:db8:1::/32', /within a network/],
    ['80 443', /not a port/],
  ])('not %s', (text, wrong) => {
    expect(openPorts().safeParse(text).error?.issues[0]?.message).toMatch(wrong)
  })

  test.each([
    ['80/tcp from 10.1.2.3/8', 'write 10.0.0.0/8'],
    ['80/tcp from 10.255.255.255/9', 'write 10.128.0.0/9'],
    ['80/tcp from 2001:db8:1::1/47', 'write 2001:db8::/47'],
    ['80/tcp from ::ffff:192.0.2.7/120', 'write ::ffff:192.0.2.0/120'],
  ])('the network of %s is said', (text, remedy) => {
    expect(openPorts().safeParse(text).error?.issues[0]).toMatchObject({ params: { remedy } })
  })
})

test('the firewall of the pod lets in what the variable says', () => {
  const { env } = loadPod({ '.env.pod': podFile({ VALENCE_EXTRA_PORTS: '3478/udp,5349/tcp from 10.0.0.0/8' }) })
  const work = collect(pod.scripts, { env, host: blank('a new host') } as never)
  const firewall = work.flatMap(({ steps }) => steps).find(({ id }) => id === 'firewall')
  const now = Object.entries(firewall?.ask ?? {}).map(([name, { parse }]) => [name, parse(nothing)])
  const decision = firewall?.plan(Object.fromEntries(now), { pending: [] })
  expect(decision && told(decision)[0]).toMatch(/^\+ firewall rules: allow .* 3478\/udp 5349\/tcp from 10\.0\.0\.0\/8$/)
})
