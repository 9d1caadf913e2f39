import { isIP, SocketAddress } from 'node:net'
import { domainToASCII } from 'node:url'
import { type Parsed, type Parser, parsed } from './parsed.ts'

/** An address as DNS and the kernel say it, so that two can be compared: of IPv6 there are many ways to write one. */
export function canonical(address: string): string {
  // A zone is of this machine, and would be lost.
  if (isIP(address) === 4 || address.includes('%')) return address.toLowerCase()
  return new SocketAddress({ address, family: 'ipv6' }).address
}

/** An IPv4 or IPv6 address of one host: no port, no brackets, no prefix length. */
export function ip(): Parsed<string> {
  return parsed((text) => {
    const bare = text.replace(/^\[(.*)\]$/, '$1')
    if (bare !== text && isIP(bare)) return { wrong: 'is in brackets', remedy: 'write the address alone' }
    if (text.includes('/')) return { wrong: 'is a network or a URL, not the address of one host' }
    if (/^\d+(\.\d+){3}:\d+$/.test(text)) return { wrong: 'has a port', remedy: 'write the address alone' }
    const kind = isIP(text)
    if (kind === 0)
      return { wrong: /[g-z]/i.test(text) ? 'is a name, not an IP address' : 'is not an IPv4 or IPv6 address' }
    const value = canonical(text)
    if (/^(0\.|22[4-9]\.|2[345]\d\.)/.test(value) || /^(::|ff.*)$/.test(value))
      return { wrong: 'is not the address of a host' }
    return { value }
  })
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Judges a fully qualified domain name in ASCII (RFC 1035, 1123). A name in another script is refused with its punycode. */
export const parseDomain: Parser<string> = (text) => {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return { wrong: 'is a URL, not a domain', remedy: 'leave out the scheme and the path' }
  if (/[^\p{ASCII}]/u.test(text)) {
    const ascii = domainToASCII(text.toLowerCase())
    if (ascii === '') return { wrong: 'is not a domain' }
    return { wrong: 'is an international name; services know it by its ASCII form', remedy: `write ${ascii}` }
  }
  if (/\s/.test(text)) return { wrong: 'holds a blank' }
  if (text.includes('/')) return { wrong: 'has a path', remedy: 'write the domain alone' }
  if (isIP(text)) return { wrong: 'is an IP address, not a domain' }
  if (text.includes(':')) return { wrong: 'has a port', remedy: 'write the domain alone' }
  if (text.includes('*')) return { wrong: 'has a wildcard' }
  if (text.endsWith('.')) return { wrong: 'ends with a dot', remedy: 'leave the last dot out' }
  const name = text.toLowerCase()
  const labels = name.split('.')
  if (labels.length < 2) return { wrong: 'has no dot: a full domain is needed' }
  if (name.length > 253 || !labels.every((part) => label.test(part))) return { wrong: 'is not a domain' }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return { wrong: 'ends in a number, which no domain does' }
  return { value: name }
}

/** A domain name, in lower case. See {@link parseDomain}. */
export const domain = () => parsed(parseDomain)

/** An e-mail address: an unquoted local part (RFC 5321) at a domain. */
export function email(): Parsed<string> {
  return parsed((text) => {
    const at = text.lastIndexOf('@')
    if (at < 0) return { wrong: 'has no @' }
    const local = text.slice(0, at)
    if (!/^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(local) || local.length > 64)
      return { wrong: 'is not an e-mail address' }
    const host = parseDomain(text.slice(at + 1))
    if ('value' in host) return { value: `${local}@${host.value}` }
    return { ...host, wrong: `is not an e-mail address: what follows the @ ${host.wrong}` }
  })
}

const reserved = /(^localhost|\.(test|local|localhost|internal|invalid|home\.arpa))$/i

/**
 * Whether a pod finds this name in its cluster (kubernetes.io, DNS for Services and Pods): SERVICE.NAMESPACE.svc, or
 * SERVICE.NAMESPACE. The latter may be a public name too, but for one whose last part has a dash, or a port of its own.
 */
const isInCluster = ({ hostname, port }: URL): boolean =>
  /^[a-z0-9-]+\.[a-z0-9-]+\.svc$/.test(hostname) ||
  (/^[a-z0-9-]+\.[a-z0-9-]+$/.test(hostname) && (port !== '' || hostname.split('.')[1]?.includes('-') === true))

/** Whether a URL's host is of a private network or a reserved name, where plain http is acceptable. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(host) === 4)
    return /^(10|127|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254|203\.0\.113|198\.51\.100|192\.0\.2)\./.test(host)
  if (isIP(host) === 6) return host === '::1' || /^(fe80|f[cd]|2001:db8:)/.test(host)
  return reserved.test(host) || /^[a-z0-9-]+$/.test(host)
}

/**
 * A URL without user or password. Plain http only towards a private network, and with `inCluster` to names of the
 * Kubernetes cluster, unless `plain` allows it anywhere.
 */
export function url({ plain = false, inCluster = false } = {}): Parsed<string> {
  return parsed((text) => {
    const at = URL.canParse(text) ? new URL(text) : undefined
    if (at === undefined || !/^https?:$/.test(at.protocol) || !/^https?:\/\//i.test(text))
      return { wrong: 'is not an http(s) URL' }
    if (at.username || at.password) return { wrong: 'holds a user or a password', remedy: 'leave them out of the URL' }
    const isNear = isPrivateHost(at.hostname) || (inCluster && isInCluster(at))
    if (at.protocol === 'http:' && !plain && !isNear)
      return { wrong: 'is plain http, which anyone on the way can change', remedy: 'use https' }
    return { value: text }
  })
}

/** Networks in CIDR notation, separated by commas: `10.1.0.0/16,fd00::/8`. */
export function networks(): Parsed<string> {
  return parsed((text) => {
    const wrong = text.split(',').find((network) => {
      const [address = '', length = '', ...rest] = network.split('/')
      const most = { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6]
      return rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > most
    })
    return wrong === undefined
      ? { value: text }
      : { wrong: `holds "${wrong}", which is not a network such as 10.1.0.0/16` }
  })
}
