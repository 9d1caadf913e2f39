import type { Session } from '@infra/shared/cli/session'
import { nothing } from '@infra/shared/command/command'
import { factOf } from '@infra/shared/engine/ask'
import type { Facts, Question, Questions } from '@infra/shared/engine/step'
import { operatingSystem } from '@infra/shared/facts/host/os'
import { type UnitState, unitState } from '@infra/shared/facts/host/systemd'
import { pendingUpdates, rebootRequired } from '@infra/shared/facts/host/updates'
import { print, printJson } from '@infra/shared/report/print'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'
import { backupState } from '../backup/facts.ts'
import type { PodEnv } from '../env/env.ts'
import { vendorOrigins } from '../host/security.ts'
import { repository, user } from '../valence/valence.ts'
import { openHost } from './host.ts'
import {
  certificateEnd,
  checkedOut,
  lockHolder,
  machine,
  nginxVersion,
  postgresVersion,
  synapseVersion,
} from './status-facts.ts'
import { statusText } from './status-text.ts'

/** `status`: how the pod is, in one round trip. It judges nothing: that is what `verify` does. */
export async function runStatus(session: Session): Promise<number> {
  const { env, host } = openHost(session, ['VALENCE_DOMAIN'])
  const status = await readStatus(host, env, session)
  if (session.options.json) printJson({ type: 'status', ...status })
  else print(statusText(status, Date.now()))
  return 0
}

export interface Service extends Omit<UnitState, 'outdated'> {
  readonly unit: string
}

const questionsFor = (env: PodEnv) =>
  ({
    os: operatingSystem,
    postgresql: postgresVersion,
    synapse: synapseVersion,
    nginx: nginxVersion,
    valence: checkedOut(repository, user),
    certificate: certificateEnd(env.VALENCE_DOMAIN),
    machine,
    lock: lockHolder,
    backup: backupState,
    updates: pendingUpdates(Object.values(vendorOrigins)),
    reboot: rebootRequired,
  }) as const satisfies Questions

/** What was found. A question that could not be answered is missing, and says why among the `problems`. */
export type Status = { readonly host: string; readonly domain: string; readonly services: readonly Service[] } & {
  readonly problems: readonly string[]
} & Partial<Facts<ReturnType<typeof questionsFor>>>

async function readStatus(host: SshTarget, env: PodEnv, { emit }: Session): Promise<Status> {
  const units = [
    `postgresql@${env.VALENCE_POSTGRES_VERSION}-main.service`,
    ...['matrix-synapse.service', 'nginx.service', 'vkb.service', 'fail2ban.service', 'ssh.service'],
    ...['certbot.timer', 'unattended-upgrades.service', 'valence-backup.timer'],
  ]
  const asked: [string, Question<unknown>][] = [
    ...Object.entries(questionsFor(env)),
    ...units.map((unit): [string, Question<unknown>] => [unit, unitState(unit)]),
  ]
  const began = Date.now()
  emit({ type: 'ask.start', target: host.name, questions: asked.length })
  const answers = await host.ask(asked.map(([, { command }]) => command))
  emit({ type: 'ask.end', target: host.name, questions: asked.length, ms: Date.now() - began })
  const facts: Record<string, unknown> = {}
  const problems: string[] = []
  asked.forEach(([name, question], index) => {
    try {
      facts[name] = factOf(question, answers[index] ?? nothing)
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  })
  const services = units.filter((unit) => facts[unit]).map((unit) => ({ unit, ...(facts[unit] as UnitState) }))
  const rest = Object.fromEntries(Object.entries(facts).filter(([name]) => !units.includes(name)))
  return { host: host.name, domain: env.VALENCE_DOMAIN, services, problems, ...rest }
}
