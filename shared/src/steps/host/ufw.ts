import { isIPv6 } from 'node:net'
import { type OpenPort, sayOpenPort } from '../../command/open-port.ts'
import { all, raw, type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Dependency,
  type Facts,
  noting,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { sshdPorts } from '../../facts/host/sshd.ts'
import { revertArmed, unitState } from '../../facts/host/systemd.ts'
import { type UfwConfig, type UfwRule, ufwConfig, ufwFiles, ufwLoaded, ufwStarts } from '../../facts/host/ufw.ts'
import { confirmed, confirming, restoring } from './revert.ts'

export interface FirewallOptions {
  /** TCP ports that everybody may reach. */
  tcp: readonly number[]
  /** More ports, with who may come in there. */
  extra?: readonly OpenPort[] | undefined
  /** The variable that those are said by, for the hint beside a port that is closed. */
  keptBy?: string
  /** Lets ssh in: on the port of this connection, and where sshd says that it listens. Undefined: not let in. */
  ssh?: number | undefined
  dependsOn?: readonly Dependency[]
}

const questions = {
  config: ufwConfig,
  loaded: ufwLoaded,
  unit: unitState('ufw.service'),
  sshd: sshdPorts,
  armed: revertArmed('ufw'),
}

// ufw does not mend what somebody did to its chains in the kernel, nor load its rules when it finds the chains there.
const forget = raw(`for t in iptables ip6tables; do
$t -S 2>/dev/null | grep -E '^-A (INPUT|FORWARD|OUTPUT) -j ufw' | while read -r _ rule; do $t -D $rule; done
for o in -F -X; do $t -S 2>/dev/null | grep '^-N ufw' | while read -r _ chain; do $t $o $chain; done; done; done`)

const stop = raw(
  `{ iptables -S; ip6tables -S; } 2>/dev/null | grep -q ufw || exit 0; ufw --force disable && { ${forget.line}; }`,
)

const start = all(sh`(${stop})`, sh`ufw --force enable`)

/** After files were put back: the firewall as they say. At boot ufw.service does that by itself. */
const effect = sh`if ${ufwStarts}; then ${start}; else ufw --force disable; fi`

/**
 * The firewall by ufw: nothing comes in but to these ports, everything goes out. A rule that opens anything else is
 * removed; one that only blocks a source is kept. What could lock us out is confirmed or reverted.
 */
export function firewall(on: Target, options: FirewallOptions): Step {
  return step({
    id: 'firewall',
    on,
    dependsOn: options.dependsOn ?? [],
    ask: questions,
    plan(now) {
      if (now.unit.enabled === 'masked') return refuse('ufw.service is masked', 'systemctl unmask ufw.service')
      const ports = portsOf(options, now.sshd)
      const list = firewallChanges(now, ports)
      const say = `active: ${ports.map(sayOpenPort).join(' ')}`
      const closing = closingNote(now.config, ports, options)
      if (!now.armed || list.some(({ guard }) => guard)) return noting(changes(list, say), closing)
      const guard = confirming('ufw')
      const confirm = update('firewall change of an interrupted run confirmed', confirmed, { guard })
      return noting(changes([...list, confirm], say), closing)
    },
  })
}

/**
 * The ports to open, in order. `sshd` are those where it listens by its configuration, which knows nothing of a socket
 * that listens for it: the port of this connection stays open, whatever that says.
 */
export function portsOf({ tcp, extra = [], ssh }: FirewallOptions, sshd: readonly number[]): OpenPort[] {
  const forSsh = ssh === undefined ? [] : [ssh, ...sshd]
  const ours = [...new Set([...forSsh, ...tcp])].sort((a, b) => a - b)
  const open = [...ours.map((port): OpenPort => ({ port: String(port), protocol: 'tcp' })), ...extra]
  return [...new Map(open.map((each) => [sayOpenPort(each), each])).values()]
}

/** How to keep what others opened and this closes, in the form of the variable. */
function closingNote(
  config: UfwConfig | null,
  ports: readonly OpenPort[],
  { extra = [], keptBy }: FirewallOptions,
): string[] {
  const closed = foreignRules(config, ports).flatMap(([rule]) => opens(rule) ?? [])
  if (keptBy === undefined || closed.length === 0) return []
  const said = [...new Set([...extra, ...closed].map(sayOpenPort))].join(',')
  return [`the firewall closes what somebody else opened; to keep it open: ${keptBy}='${said}'`]
}

function firewallChanges({ config, loaded, unit }: Facts<typeof questions>, ports: readonly OpenPort[]): Change[] {
  const list: Change[] = []
  const missing = ports.filter((port) => !isOpen(config, port))
  if (missing.length > 0)
    list.push(create(`firewall rules: allow ${missing.map(sayOpenPort).join(' ')}`, missing.map(allow)))
  const { save, guard } = restoring({ name: 'ufw', paths: ufwFiles, digest: config?.digest ?? 'none', effect })
  const guarded = (run: Shell) => [[save, run], { guard }] as const
  // Debian and Ubuntu install ufw with these defaults.
  const isLax = config !== null && (config.incoming !== 'DROP' || config.outgoing !== 'ACCEPT')
  if (isLax) {
    const defaults = all(sh`ufw default allow outgoing`, sh`ufw default deny incoming`, start)
    list.push(update('firewall enabled: deny incoming, allow outgoing by default', ...guarded(defaults)))
  }
  for (const rules of foreignRules(config, ports)) {
    const [rule] = rules
    const [run, options] = guarded(deleteRule(rule, rules.length > 1))
    list.push(remove(`foreign firewall rule: ${sayRule(rule)}`, run, { ...options, risk: 'downtime' }))
  }
  if (unit.exists && unit.enabled !== 'enabled')
    list.push(create('firewall at boot', sh`systemctl enable --quiet ufw.service`))
  if (isLax) return list
  if (!config?.enabled || !loaded[4].active) list.push(create('firewall enabled', ...guarded(start)))
  else if (!isLoaded(config, loaded)) list.push(update('firewall rules loaded anew', ...guarded(start)))
  return list
}

/** Whether what the kernel does is what ufw was told. */
export function isLoaded(config: UfwConfig, loaded: Facts<typeof questions>['loaded']): boolean {
  return ([4, 6] as const).every((family) => {
    const kernel = loaded[family]
    if (family === 6 && (!config.ipv6 || kernel === null)) return true
    return kernel?.active === true && kernel.incoming === config.incoming && kernel.lines === config.lines[family]
  })
}

const any = new Set(['0.0.0.0/0', '::/0'])
const isAny = (address: string) => any.has(address)

const allow = ({ port, protocol, from }: OpenPort): Shell =>
  from === undefined && !port.includes(':')
    ? sh`ufw allow ${`${port}/${protocol}`}`
    : sh`ufw allow proto ${protocol} from ${from ?? 'any'} to any port ${port}`

/** The ports that a rule opens; undefined for a rule that does anything else. */
function opens(rule: UfwRule): OpenPort[] | undefined {
  const plain = rule.action === 'allow' && rule.direction === 'in' && rule.fromPort === 'any' && isAny(rule.to)
  if (!plain || rule.toPort === 'any') return undefined
  const protocols = (['tcp', 'udp'] as const).filter((name) => rule.protocol === name || rule.protocol === 'any')
  const from = isAny(rule.from) ? {} : { from: rule.from }
  return protocols.flatMap((protocol) => rule.toPort.split(',').map((port) => ({ port, protocol, ...from })))
}

/** Whether a rule lets in whom it should on this port, in each family that ufw handles. */
export function isOpen(config: UfwConfig | null, port: OpenPort): boolean {
  const own = port.from === undefined ? [4, 6] : [isIPv6(port.from.replace(/\/.*/, '')) ? 6 : 4]
  const families = own.filter((family) => family === 4 || config?.ipv6 !== false)
  const isIt = (one: OpenPort) => sayOpenPort(one) === sayOpenPort(port)
  return families.every((family) => config?.rules.some((rule) => rule.family === family && opens(rule)?.some(isIt)))
}

/** The rules that are not ours to have, each with its twin of the other family. */
export function foreignRules(config: UfwConfig | null, ports: readonly OpenPort[]): [UfwRule, ...UfwRule[]][] {
  const own = new Set(ports.map(sayOpenPort))
  const found = new Map<string, [UfwRule, ...UfwRule[]]>()
  for (const rule of config?.rules ?? []) {
    if (opens(rule)?.every((port) => own.has(sayOpenPort(port)))) continue
    const blocksSource = /^(deny|reject)/.test(rule.action) && rule.direction.startsWith('in') && !isAny(rule.from)
    if (blocksSource) continue
    const key = sayRule(rule)
    found.set(key, [...(found.get(key) ?? []), rule] as [UfwRule, ...UfwRule[]])
  }
  return [...found.values()]
}

/** A rule in ufw's own words, which also delete it. */
export function sayRule(rule: UfwRule): string {
  return wordsOf(rule, true).join(' ')
}

function deleteRule(rule: UfwRule, both: boolean): Shell {
  const words = wordsOf(rule, both || rule.family === 4)
  return rule.action.startsWith('route:') ? sh`ufw route delete ${words.slice(1)}` : sh`ufw delete ${words}`
}

/** `wide`: "any" is of both families; otherwise a rule of IPv6 only names its own. */
function wordsOf(rule: UfwRule, wide: boolean): string[] {
  const isRoute = rule.action.startsWith('route:')
  const [action = '', log] = rule.action.replace('route:', '').split('_')
  const everywhere = isAny(rule.from) && isAny(rule.to)
  const address = (value: string) => (isAny(value) ? (wide || !everywhere ? 'any' : value) : value)
  const port = (value: string, app: string | undefined) => (app ? ['app', app] : value === 'any' ? [] : ['port', value])
  const byApp = rule.toApp !== undefined || rule.fromApp !== undefined
  return [
    ...(isRoute ? ['route'] : []),
    action,
    ...rule.direction.split('!').flatMap((part) => interfaceWords(part, isRoute)),
    ...(log ? [log] : []),
    ...(rule.protocol === 'any' || byApp ? [] : ['proto', rule.protocol]),
    ...['from', address(rule.from), ...port(rule.fromPort, rule.fromApp)],
    ...['to', address(rule.to), ...port(rule.toPort, rule.toApp)],
  ]
}

/** `in_eth0` is "in on eth0"; a forwarding rule says a bare direction only with an interface. */
function interfaceWords(part: string, isRoute: boolean): string[] {
  const [direction = 'in', name] = part.split(/_(.*)/s)
  if (name) return [direction, 'on', name]
  return isRoute ? [] : [direction]
}
