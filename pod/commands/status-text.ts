import { age, size } from '@infra/shared/report/amounts'
import type { Service, Status } from './status.ts'

/** A status for a person, one line for each thing. `now` is in milliseconds since 1970. */
export function statusText(status: Status, now: number): string {
  const { os, postgresql, synapse, nginx, valence, certificate, machine, lock, backup, updates, reboot } = status
  const versions = { PostgreSQL: postgresql, Synapse: synapse, nginx, Valence: valence }
  const told = Object.entries(versions).map(([name, version]) => `${name} ${version ?? '-'}`)
  const rows: [string, string | null | undefined][] = [
    ['system', os && [os.name, machine && `up ${age(machine.uptime * 1000)}`].filter(Boolean).join(', ')],
    ['versions', told.join(', ')],
    ['certificate', certificate ? `until ${certificate.slice(0, 10)}, ${daysLeft(certificate, now)} days` : 'none'],
    ['disk', machine && share(machine.disk.used, machine.disk.size)],
    ['memory', machine && share(machine.memory.size - machine.memory.available, machine.memory.size)],
    [
      'load',
      machine && `${machine.load.map((value) => value.toFixed(2)).join(' ')} on ${machine.processors} processors`,
    ],
    [
      'updates',
      updates && (updates.length === 0 ? 'none waits' : `${updates.length} wait: ${updates.slice(0, 5).join(', ')}`),
    ],
    ['reboot', reboot ? 'required' : undefined],
    ['backup', backup && sayBackup(backup, now)],
    ['lock', lock ? `held by ${lock}` : 'free'],
  ]
  return [
    `${status.domain}  ${status.host}`,
    ...status.services.map(
      (service) => `  ${service.unit.replace(/\.service$/, '').padEnd(22)}${sayService(service, now)}`,
    ),
    ...rows.flatMap(([name, value]) => (value === undefined || value === null ? [] : [`  ${name.padEnd(22)}${value}`])),
    ...status.problems.map((problem) => `  ! ${problem}`),
  ].join('\n')
}

function sayService({ exists, active, enabled, since }: Service, now: number): string {
  if (!exists) return 'not installed'
  const boot = enabled === 'disabled' ? ', not at boot' : enabled === 'masked' ? ', masked' : ''
  return `${active}${since === undefined || active !== 'active' ? '' : ` for ${age(now - since)}`}${boot}`
}

function sayBackup({ newest, result }: NonNullable<Status['backup']>, now: number): string {
  const last = newest ? `${newest.name}, ${age(now - newest.at)} ago, ${size(newest.bytes)}` : 'none on the host'
  return result === 'success' ? last : `${last}; the last attempt failed (${result})`
}

const share = (used: number, whole: number) =>
  `${size(used)} of ${size(whole)} used, ${whole === 0 ? 0 : Math.round((100 * used) / whole)} %`

const daysLeft = (end: string, now: number) => Math.floor((Date.parse(end) - now) / 86_400_000)
