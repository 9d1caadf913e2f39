import { plainText } from '../../command/command.ts'
import { peers } from '../../command/sql.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type AccessRule, type AccessState, accessState, type ServerFile } from '../../facts/postgres/postgres.ts'
import { diffOf, writeFile } from '../host/file.ts'
import { reload } from './postgres.ts'

/** What a rule shall say in place of a method that lets in without a proof, or by a weak one. */
const better = (rule: AccessRule): string | undefined => {
  if (rule.type === 'local') return rule.method === 'trust' ? 'peer' : undefined
  return ['trust', 'password', 'md5', 'ident'].includes(rule.method) ? 'scram-sha-256' : undefined
}

const loopback = ['127.0.0.1/32', '::1/128']

/**
 * Who may log in how (pg_hba.conf): over TCP by scram-sha-256 and in no weaker way, over the local socket never unasked.
 * Only the lines that say otherwise are changed, in place; a line for localhost is added where there is none, and one for
 * each role that another account is, with what pg_ident.conf says of it.
 */
export function postgresAccess(on: Target, { dependsOn = [] }: { dependsOn?: readonly Dependency[] } = {}): Step {
  return step({
    id: 'postgres.access',
    on,
    dependsOn,
    ask: { now: accessState },
    plan({ now }) {
      if (!now) return changes([create('access by peer and scram-sha-256', reload)], '')
      if (now.errors.length > 0) {
        return refuse(`PostgreSQL does not understand ${now.errors.join('; ')}`, 'Mend the line by hand.')
      }
      const stray = now.rules.find((rule) => better(rule) && (rule.file !== now.file || !edit(now.content, rule)))
      if (stray) {
        return refuse(
          `${stray.file}:${stray.line} lets in by "${stray.method}" (${stray.type})`,
          `Change that line to ${better(stray)} by hand.`,
        )
      }
      const mended = mend(now)
      const list = [
        ...rewritten(now.ident, withMaps(now.ident.content), 'safe'),
        // Those who came in by a weaker way may stay out.
        ...rewritten(now, withPeers(mended, now.rules), mended === now.content ? 'safe' : 'downtime'),
      ]
      if (list.length > 0) return changes(list, '')
      const isUnread = now.unread || now.ident.unread
      return changes(isUnread ? [update('PostgreSQL reloaded', reload)] : [], 'local by peer, TCP by scram-sha-256')
    },
  })
}

function rewritten(now: ServerFile, content: string, risk: Change['risk']): Change[] {
  if (content === now.content) return []
  const text = plainText(content)
  const write = writeFile(now.file, text, { mode: '0640', owner: 'postgres', group: 'postgres' })
  return [update(now.file, [write, reload], { diff: diffOf(now.file, now, text), risk })]
}

/** pg_ident.conf with a map for each role that another account is: of the role's name, so that it lets nobody else in. */
function withMaps(content: string): string {
  const missing = Object.entries(peers).filter(
    ([role, account]) => !new RegExp(`^\\s*${role}\\s+${account}\\s+${role}\\s*(#.*)?$`, 'm').test(content),
  )
  const lines = missing.map(([role, account]) => `${role.padEnd(16)}${account.padEnd(24)}${role}\n`)
  return content.replace(/([^\n])$/, lines.length > 0 ? '$1\n' : '$1') + lines.join('')
}

/** pg_hba.conf with a line for each of these roles before all others: the first one that fits decides. */
function withPeers(content: string, rules: readonly AccessRule[]): string {
  const missing = Object.keys(peers).filter((role) => {
    const first = rules.find(({ type, users }) => type === 'local' && (users.includes('all') || users.includes(role)))
    const fits = first?.method === 'peer' && first.databases.includes('all') && first.users.join() === role
    return !(fits && first.options?.includes(`map=${role}`))
  })
  const lines = content.split('\n')
  const top = lines.findIndex((line) => /^\s*[^#\s]/.test(line))
  const own = missing.map((role) => `local   all             ${role.padEnd(40)}peer map=${role}`)
  lines.splice(top < 0 ? lines.length - 1 : top, 0, ...own)
  return lines.join('\n')
}

/** The file with its weak rules made strong and localhost let in. */
function mend({ content, rules }: AccessState): string {
  const mended = rules.reduce((text, rule) => (better(rule) ? (edit(text, rule) ?? text) : text), content)
  const missing = loopback.filter((network) => !rules.some((rule) => letsIn(rule, network)))
  const lines = missing.map(
    (network) => `${'host    all             all             '}${network.padEnd(24)}scram-sha-256\n`,
  )
  return mended.replace(/([^\n])$/, lines.length > 0 ? '$1\n' : '$1') + lines.join('')
}

/** The file with the method of one rule replaced; undefined when its line does not name the method as expected. */
function edit(content: string, rule: AccessRule): string | undefined {
  const lines = content.split('\n')
  const line = lines[rule.line - 1] ?? ''
  const [code = '', ...comment] = line.split('#')
  const method = new RegExp(`^(\\s*${rule.type}\\s.*\\s)${rule.method}(?=\\s|$)`)
  if (!method.test(code)) return undefined
  lines[rule.line - 1] = [code.replace(method, `$1${better(rule)}`), ...comment].join('#')
  return lines.join('\n')
}

function letsIn(rule: AccessRule, network: string): boolean {
  const any = rule.databases.includes('all') && rule.users.includes('all') && rule.type === 'host'
  const everywhere =
    rule.address === 'all' || rule.address === 'samehost' || /^(0\.0\.0\.0|::)$/.test(rule.netmask ?? '')
  const sameFamily = (rule.address ?? '').includes(':') === network.includes(':')
  return any && (rule.address === network.split('/')[0] || (everywhere && (sameFamily || !rule.netmask)))
}
