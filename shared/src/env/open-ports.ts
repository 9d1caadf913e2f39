import { isIP, SocketAddress } from 'node:net'
import { type OpenPort, sayOpenPort } from '../command/open-port.ts'
import { canonical } from './network.ts'
import { type Parsed, parsed, type Verdict } from './parsed.ts'

const form = 'write 3478/udp, a range as 49152-65535/udp, a source as 5349/tcp from 10.0.0.0/8'

/** Ports for a firewall, by commas: `3478/udp,49152-65535/udp,5349/tcp from 10.0.0.0/8`; tcp unless told. */
export function openPorts(): Parsed<readonly OpenPort[]> {
  return parsed((text) => {
    const found = new Map<string, OpenPort>()
    for (const part of text.split(',')) {
      if (part.trim() === '') continue
      const one = openPort(part.trim())
      if ('wrong' in one) return one
      found.set(sayOpenPort(one.value), one.value)
    }
    return { value: [...found.values()] }
  })
}

function openPort(text: string): Verdict<OpenPort> {
  const [, first = '', last, protocol = 'tcp', source] =
    text.match(/^(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?(?:\/([a-z]+))?(?:\s+from\s+(\S+))?$/i) ?? []
  if (first === '') return { wrong: `holds "${text}", which is not a port`, remedy: form }
  const name = protocol.toLowerCase()
  if (name !== 'tcp' && name !== 'udp')
    return { wrong: `holds "${text}": ${protocol} is neither tcp nor udp`, remedy: form }
  const [low, high] = [Number(first), Number(last ?? first)]
  if (low < 1 || high > 65535 || (last !== undefined && low >= high))
    return { wrong: `holds "${text}": ports go from 1 to 65535, the lower one first`, remedy: form }
  const port = last === undefined ? String(low) : `${low}:${high}`
  if (source === undefined || source.toLowerCase() === 'any') return { value: { port, protocol: name } }
  const from = network(source)
  return 'wrong' in from ? from : { value: { port, protocol: name, from: from.value } }
}

/** An address, or a network by its first address, as ufw notes it: without the length where that is all of it. */
function network(text: string): Verdict<string> {
  const [address = '', length] = text.split('/')
  const family = isIP(address)
  const bits = family === 6 ? 128 : 32
  const prefix = length === undefined ? bits : Number(length)
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && prefix <= bits)
  if (family === 0 || !isLength) return { wrong: `holds the source "${text}", which is not a network`, remedy: form }
  if (prefix === 0)
    return { wrong: `holds the source "${text}", which includes every address`, remedy: 'leave "from" out' }
  const own = canonical(address)
  if (prefix === bits) return { value: own }
  const first = firstOf(own, prefix, family === 6 ? 'ipv6' : 'ipv4')
  return first === own
    ? { value: `${own}/${prefix}` }
    : { wrong: `holds the source "${text}", which is an address within a network`, remedy: `write ${first}/${prefix}` }
}

/** The first address of a network. */
function firstOf(address: string, prefix: number, family: 'ipv4' | 'ipv6'): string {
  if (family === 'ipv4') {
    const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    const first = Math.floor(value / 2 ** (32 - prefix)) * 2 ** (32 - prefix)
    return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
  }
  const groups = expanded(address)
  const kept = groups.map((group, at) => {
    const bits = Math.min(16, Math.max(0, prefix - at * 16))
    return group & (0xffff ^ (0xffff >> bits))
  })
  return new SocketAddress({ address: kept.map((group) => group.toString(16)).join(':'), family }).address
}

/** The eight groups of an address of IPv6. */
function expanded(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const numbers = (part: string) => (part === '' ? [] : part.split(':').flatMap(group))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after]
}

/** A group; two for the form of IPv4 at the end. */
function group(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)]
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}
