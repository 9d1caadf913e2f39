/** A setting's value as sshd_config(5) and `sshd -T` have it; `desired` is what shall be in force at least. */
type Holds = (value: string, desired: string) => boolean

const seconds = (value: string): number => {
  const parts = [...value.matchAll(/(\d+)([smhdw]?)/g)]
  const unit: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 }
  return parts.reduce((sum, [, count, letter = '']) => sum + Number(count) * (unit[letter] ?? 1), 0)
}

/** 0 means without end. */
const atMost: Holds = (value, desired) => seconds(value) > 0 && seconds(value) <= seconds(desired)

const levels = ['quiet', 'fatal', 'error', 'info', 'verbose', 'debug', 'debug1', 'debug2', 'debug3']

/** From what lets root in least. */
const rootLogins = ['no', 'forced-commands-only', 'prohibit-password', 'yes']

const within: Holds = (value, desired) => value.split(',').every((one) => desired.split(',').includes(one))

/** Of these settings somebody may have chosen a stricter value, for one account or for all: it is left as it is. */
const stricter: Readonly<Record<string, Holds>> = {
  maxauthtries: atMost,
  logingracetime: atMost,
  clientaliveinterval: atMost,
  clientalivecountmax: atMost,
  allowtcpforwarding: (value) => value === 'no',
  permitrootlogin: (value, desired) =>
    rootLogins.includes(value) && rootLogins.indexOf(value) <= rootLogins.indexOf(desired),
  loglevel: (value, desired) => levels.indexOf(value) >= levels.indexOf(desired),
  macs: within,
}

const normal = (value: string) => value.toLowerCase().replace('without-password', 'prohibit-password')

/** Whether a value of this setting (`keyword` in lower case) is as desired, or stricter where that is sshd's to know. */
export function holds(keyword: string, value: string, desired: string): boolean {
  const [is, shall] = [normal(value), normal(desired)]
  return is === shall || (stricter[keyword]?.(is, shall) ?? false)
}
