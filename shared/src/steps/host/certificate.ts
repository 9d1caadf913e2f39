import { isIP } from 'node:net'
import { type Output, plainText } from '../../command/command.ts'
import { type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  noting,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { notedFolder, notedSetting, provenBy } from '../../facts/host/certbot-notes.ts'
import {
  type CertificateState,
  certificateFiles,
  certificateState,
  isRenewalNear,
} from '../../facts/host/certificate.ts'
import { type Resolved, resolved } from '../../facts/host/dns.ts'
import { type FileState, fileContent } from '../../facts/host/file.ts'
import { diffOf, writeFile } from './file.ts'

export interface CertificateOptions {
  /** More names, each taken in once it leads to the host, and left out when it does no more: it would fail every renewal. */
  readonly optional?: readonly string[]
  readonly email: string
  /** The folder that the site serves `/.well-known/acme-challenge/` from. */
  readonly webroot: string
  /** The authority's ACME directory. */
  readonly directory: string
  /** The host's public address, where it is not one of its own. */
  readonly address?: string | undefined
  /** How to deploy the rest meanwhile, for the refusal. */
  readonly without: string
  readonly dependsOn?: readonly Dependency[]
}

/** The id of the step of a certificate. */
export const certificateStep = (name: string): string => `certificate ${name}`

/**
 * A certificate by certbot, proven over HTTP. One that is valid and of this authority is used as it is; its renewal is
 * certbot's own, and is set to prove itself by the same folder. Where its names lead is looked up before the authority is
 * asked, which counts failures.
 */
export function certificate(on: Target, name: string, options: CertificateOptions): Step {
  const { optional = [], webroot, directory, dependsOn = [] } = options
  const { chain, renewal: path } = certificateFiles(name)
  return step({
    id: certificateStep(name),
    on,
    dependsOn,
    // An authority that has enough of us for a week is no reason to leave the rest of a host undone.
    continueOnError: true,
    ask: {
      now: certificateState(name),
      dns: resolved([name, ...optional], { chain, near: isRenewalNear(name, directory) }),
      notes: fileContent(path),
    },
    plan({ now, dns, notes }) {
      const names = namesOf(options, name, now, dns)
      const { astray, own } = names
      const reason = now ? renewalReason(options, name, now, names) : newCertificate(names.wanted, directory)
      if (reason && 'kind' in reason) return reason
      if (reason && astray) return refuseAstray(astray, name, own, options.without)
      if (reason) {
        const request = requestOf(options, name, names.wanted, now)
        const risk = names.foreign.length > 0 ? 'downtime' : 'safe'
        return changes([(now ? update : create)(reason.say, request, { explain, risk })], '')
      }
      const list = webrootChange(path, name, webroot, notes, names.held)
      const until = new Date(now?.notAfter ?? 0).toISOString().slice(0, 10)
      const used = changes(list, `${names.held.join(' ')} until ${until}`)
      return noting(used, astray ? [`no renewal of certificate ${name} succeeds: ${astray}`] : [])
    },
  })
}

/** The names of a certificate: those that it has, and those that it shall have. */
interface Names {
  /** The addresses that are the host's own. */
  readonly own: readonly string[]
  readonly held: readonly string[]
  readonly wanted: readonly string[]
  /** Wanted, and not in it yet. */
  readonly missing: readonly string[]
  /** In it, and elsewhere by now. */
  readonly gone: readonly string[]
  /** In it, and none of this deployment. */
  readonly foreign: readonly string[]
  /** Why the authority would find the first name elsewhere. */
  readonly astray: string | undefined
  /** What a renewal loses, in words. */
  readonly without: string
}

function namesOf(
  { optional = [], address }: CertificateOptions,
  name: string,
  now: CertificateState | null,
  dns: Resolved | null,
): Names {
  const own = [...new Set([...(address === undefined ? [] : [address]), ...(dns?.own ?? [])])]
  const held = now?.names ?? []
  const astray = wrongWay(dns, name, own)
  const missing = optional.filter((more) => !held.includes(more) && !astray && leadsHere(dns, more, own))
  // While not even the first one resolves, it is the resolver that is doubted.
  const gone = optional.filter((more) => held.includes(more) && leadsHere(dns, name, own) && astrayTo(dns, more, own))
  const kept = optional.filter((more) => missing.includes(more) || (held.includes(more) && !gone.includes(more)))
  // Names of others cannot be proven by our folder: whoever serves them needs a certificate of their own.
  const foreign = held.filter((other) => other !== name && !optional.includes(other))
  const lost = foreign.map((other) => `, without ${other}, which is not a name of this deployment`)
  const without = [...gone.map((more) => `, without ${more}, which ${astrayTo(dns, more, own)}`), ...lost].join('')
  return { own, held, wanted: [name, ...kept], missing, gone, foreign, astray, without }
}

/** What a request is for, in the plan's words. */
interface Reason {
  readonly say: string
}

const newCertificate = (wanted: readonly string[], directory: string): Reason => ({
  say: `certificate for ${wanted.join(', ')} from ${new URL(directory).host}`,
})

/** Why the authority is asked again; undefined when the certificate is used as it is. */
function renewalReason(
  { directory }: CertificateOptions,
  name: string,
  now: CertificateState,
  { held, wanted, missing, gone, without }: Names,
): Reason | Decision | undefined {
  const { host } = new URL(directory)
  if (!held.includes(name)) return { say: `certificate for ${wanted.join(', ')}, not ${held.join(', ')}` }
  const server = now.renewal === undefined ? directory : notedSetting(now.renewal, 'server')
  // certbot's own rule (is_staging): it refuses as well.
  if (/staging/.test(directory) && !/staging/.test(server ?? ''))
    return refuse(
      `a test certificate of ${host} would take the place of one of ${hostOf(server)} that browsers trust`,
      'Leave ACME_DIRECTORY_URL unset. docs/runbook.md has a trial of the renewal under "Certificate and nginx".',
    )
  if (server !== directory) return { say: `certificate from ${host}, not ${hostOf(server)}${without}` }
  if (now.due) return { say: `certificate renewed: its end is near${without}` }
  if (missing.length > 0) return { say: `certificate also for ${missing.join(', ')}${without}` }
  if (gone.length > 0) return { say: `certificate renewed${without}: no renewal succeeds with ${gone.join(', ')}` }
  return undefined
}

function refuseAstray(astray: string, name: string, own: readonly string[], without: string): Decision {
  const records = `Set its records to ${own[0]} alone and wait until they are seen: getent ahosts ${name}.`
  return refuse(astray, `${records} ${without}`)
}

function requestOf(
  { email, directory, webroot }: CertificateOptions,
  name: string,
  wanted: readonly string[],
  now: CertificateState | null,
): Shell {
  const again = now ? ['--force-renewal', '--renew-with-new-domains'] : []
  const domains = wanted.flatMap((each) => ['-d', each])
  return sh`certbot certonly --non-interactive --agree-tos --email ${email} --server ${directory} --webroot -w ${webroot} --cert-name ${name} ${domains} ${again}`
}

/** certbot's notes, where a name would not be proven by our folder. */
function webrootChange(
  path: string,
  name: string,
  webroot: string,
  notes: FileState | null,
  held: readonly string[],
): Change[] {
  const mended = notes?.content && byWebroot(notes.content, webroot, held)
  if (!notes || !mended || mended === notes.content) return []
  const text = plainText(mended)
  const diff = diffOf(path, notes, text)
  return [update(`renewal of certificate ${name} by ${webroot}`, writeFile(path, text, notes), { diff })]
}

const isLoopback = (address: string) => /^127\.|^::1$/.test(address)

/** Where a name leads that does not lead to the host alone; undefined when it does, or when that is not known. */
function astrayTo(dns: Resolved | null, name: string, own: readonly string[]): string | undefined {
  const found = dns?.names[name]
  if (!found) return undefined
  if (found.length === 0) return 'does not resolve'
  // The host's own name is often in its /etc/hosts, by the loopback.
  const astray = found.filter((address) => !isLoopback(address) && !own.includes(address))
  return astray.length === 0
    ? undefined
    : `leads to ${astray.join(', ')}, not to this host (${own.filter((each) => isIP(each) === isIP(astray[0] ?? '')).join(', ') || own.join(', ')})`
}

/** The same as a reason to ask no authority. */
function wrongWay(dns: Resolved | null, name: string, own: readonly string[]): string | undefined {
  const to = astrayTo(dns, name, own)
  return to && `${name} ${to}${to.startsWith('leads') ? '' : ': there is no certificate for it before it does'}`
}

function leadsHere(dns: Resolved | null, name: string, own: readonly string[]): boolean {
  return (dns?.names[name] ?? []).length > 0 && astrayTo(dns, name, own) === undefined
}

const hostOf = (url: string | undefined) => (url && URL.canParse(url) ? new URL(url).host : (url ?? 'another'))

/** certbot's notes with the proof by this folder; as they are where they already say so. */
function byWebroot(notes: string, webroot: string, names: readonly string[]): string {
  const isSo = notedSetting(notes, 'authenticator') === 'webroot'
  return isSo && names.every((name) => notedFolder(notes, name) === webroot) ? notes : provenBy(notes, webroot, names)
}

/** What certbot and the authority mean, in a line. */
function explain({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  const limit = said.match(/too many [^\n]*/)?.[0]
  if (limit) return `the authority has had enough of us for now: ${limit}`
  if (/accountDoesNotExist|^Account \S+ not found/m.test(said))
    return 'the authority does not know the account that the host has there: without /etc/letsencrypt/accounts a new one is made'
  const detail = said.match(/^ *Detail: (.*)$/m)?.[1]
  if (detail) return `the authority could not see the proof: ${detail}`
  if (/CERTIFICATE_VERIFY_FAILED/.test(said)) return 'the host does not trust the authority of ACME_DIRECTORY_URL'
  if (/Failed to (establish|resolve)|ConnectionError|Connection refused|Max retries/.test(said))
    return 'the authority cannot be reached'
  return said.match(/^(?:An unexpected error occurred:|Error:?)\s*(.*)$/m)?.[1]
}
