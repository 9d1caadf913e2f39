import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { withLock } from './cache.ts'
import { type Lease, stateFolder } from './lease.ts'
import { must, run } from './run.ts'

/** One host's own network: a namespace, a pair of devices, a small subnet. */
export type Network = {
  readonly namespace: string
  /** The host's address. */
  readonly address: string
  /** The machine's address on the host's side: where servers of the lab listen. */
  readonly gateway: string
  /** Their other addresses, of IPv6. `cut` and `latency` know nothing of them. */
  readonly address6: string
  readonly gateway6: string
  /** Total round-trip time added, in milliseconds; 0 takes it away. */
  latency(ms: number): Promise<void>
  /** Cuts or mends the line: packets vanish without a word, both ways. */
  cut(isCut: boolean): Promise<void>
  /** Takes the firewall's rules away, which a kernel loses with its power and the namespace of a host keeps. */
  forget(): Promise<void>
  close(): void
}

const delayer = fileURLToPath(new URL('latency.py', import.meta.url))
// A neighbour nobody is: packets go out and are dropped by the other end, so that connections hang as for real.
const nobody = '02:00:00:00:00:01'

/** Makes the network of a leased number, of IPv6 alone where that is asked for; the clean-up takes it away by its names. */
export async function makeNetwork({ number }: Lease, only6 = false): Promise<Network> {
  await openMachine()
  const namespace = `infra-lab-${number}`
  const device = `infralab${number}`
  const [address, gateway] = [`10.77.${number}.2`, `10.77.${number}.1`]
  const hex = number.toString(16).padStart(2, '0')
  const [address6, gateway6] = [`fd4c:4d00:0:${hex}::2`, `fd4c:4d00:0:${hex}::1`]
  const [hostMac, gatewayMac] = [`02:4c:4d:00:${hex}:02`, `02:4c:4d:00:${hex}:01`]
  const inside = ['-n', namespace]
  await must('ip', ['netns', 'add', namespace])
  const pair = ['link', 'add', device, 'address', gatewayMac, 'type', 'veth', 'peer', 'name', 'host0']
  await must('ip', [...pair, 'address', hostMac, 'netns', namespace])
  // A reply may come by another device than the delayed way there.
  await writeFile(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, '2')
  await must('ip', ['addr', 'add', `${gateway}/24`, 'dev', device])
  await must('ip', ['addr', 'add', `${gateway6}/64`, 'dev', device, 'nodad'])
  await must('ip', ['link', 'set', device, 'up'])
  await must('ip', [...inside, 'addr', 'add', `${address}/24`, 'dev', 'host0'])
  await must('ip', [...inside, 'addr', 'add', `${address6}/64`, 'dev', 'host0', 'nodad'])
  for (const name of ['lo', 'host0']) await must('ip', [...inside, 'link', 'set', name, 'up'])
  await must('ip', [...inside, 'route', 'add', 'default', 'via', gateway])

  let ms = 0
  let isCut = false
  let relay: ChildProcessByStdio<Writable, Readable, null> | undefined
  const tunnel = `infralag${number}`
  const route = [`${address}/32`, 'src', gateway, 'metric', '1']

  const apply = async () => {
    const neighbour = (lladdr: string, to: string, dev: string) => [
      'neigh',
      'replace',
      to,
      'lladdr',
      lladdr,
      'dev',
      dev,
      'nud',
      'permanent',
    ]
    await must('ip', neighbour(isCut ? nobody : hostMac, address, device))
    await must('ip', [...inside, ...neighbour(isCut ? nobody : gatewayMac, gateway, 'host0')])
    if (ms > 0 && !isCut) {
      relay ??= await startRelay(tunnel, device, hostMac)
      relay.stdin.write(`${ms}\n`)
      await must('ip', ['route', 'replace', ...route, 'dev', tunnel])
    } else {
      await run('ip', ['route', 'del', ...route])
      if (ms === 0) {
        relay?.stdin.end()
        relay = undefined
      }
    }
  }
  await apply()
  if (only6) await must('ip', [...inside, '-4', 'addr', 'flush', 'dev', 'host0'])
  return {
    namespace,
    address,
    gateway,
    address6,
    gateway6,
    latency: async (desired) => {
      ms = desired
      await apply()
    },
    forget: async () => {
      const rules = `nft flush ruleset 2>/dev/null
for t in iptables ip6tables; do for c in INPUT FORWARD OUTPUT; do $t -P $c ACCEPT; done; $t -F; $t -X; done`
      await must('ip', ['netns', 'exec', namespace, 'sh', '-c', rules])
    },
    cut: async (desired) => {
      isCut = desired
      await apply()
    },
    close: () => relay?.stdin.end(),
  }
}

async function startRelay(tunnel: string, device: string, mac: string) {
  const relay = spawn('python3', [delayer, tunnel, device, mac, '0'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    relay.stdout.once('data', () => resolve())
    relay.once('exit', (code) => reject(new Error(`lab: the latency relay ended with ${code}`)))
    relay.once('error', reject)
  })
  relay.stdin.on('error', () => {})
  relay.unref()
  for (const pipe of [relay.stdin, relay.stdout]) (pipe as unknown as { unref?: () => void }).unref?.()
  await must('ip', ['link', 'set', tunnel, 'up'])
  await writeFile(`/proc/sys/net/ipv6/conf/${tunnel}/disable_ipv6`, '1').catch(() => {})
  return relay
}

// What all hosts share, each with a comment that the last clean-up finds: the way out, and the way to each other
// and to the lab's servers where the machine has a firewall of its own.
const rules: readonly (readonly string[])[] = [
  ['nat', 'POSTROUTING', '-s', '10.77.0.0/16', '!', '-d', '10.77.0.0/16', '-j', 'MASQUERADE'],
  ['filter', 'FORWARD', '-i', 'infralab+', '-j', 'ACCEPT'],
  ['filter', 'FORWARD', '-o', 'infralab+', '-j', 'ACCEPT'],
  ['filter', 'FORWARD', '-o', 'infralag+', '-j', 'ACCEPT'],
  ['filter', 'INPUT', '-i', 'infralab+', '-j', 'ACCEPT'],
]

async function openMachine(): Promise<void> {
  await withLock(join(stateFolder, 'lock'), async () => {
    const forward = '/proc/sys/net/ipv4/ip_forward'
    const before = join(stateFolder, 'ip_forward')
    if (!existsSync(before)) await writeFile(before, await readFile(forward, 'utf8'))
    await writeFile(forward, '1')
    for (const [table = '', chain = '', ...match] of rules) {
      const rule = [chain, ...match, '-m', 'comment', '--comment', 'infra-lab']
      const known = await run('iptables', ['-w', '-t', table, '-C', ...rule])
      if (known.code !== 0) await must('iptables', ['-w', '-t', table, '-I', ...rule])
    }
  })
}
