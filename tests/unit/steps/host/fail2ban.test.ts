import { nothing } from '@infra/shared/command/command'
import { jailSettings } from '@infra/shared/facts/host/fail2ban'
import { jail } from '@infra/shared/steps/host/fail2ban'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const path = '/etc/fail2ban/jail.d/zz-sshd.local'
const step = jail(blank('new'), 'sshd', {
  settings: { enabled: 'true', maxretry: '3' },
  inForce: { maxretry: '3' },
})
const file = {
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  content: '[sshd]\nenabled = true\nmaxretry = 3\n',
}
const sound = {
  file,
  unit: { exists: true, active: 'active', enabled: 'enabled', since: 2000 },
  newest: 1000,
  settings: { maxretry: '3' },
}

describe('jail', () => {
  test.each<[string, Partial<typeof sound> | object, string[]]>([
    ['as desired', {}, ['= maxretry 3']],
    ['no file', { file: null }, [`+ ${path}`, '~ fail2ban restarted']],
    ['another content', { file: { ...file, content: '[sshd]\n' } }, [`~ ${path}`, '~ fail2ban restarted']],
    ['older than its files', { newest: 3000 }, ['~ fail2ban restarted']],
    [
      'starting, with files written meanwhile',
      { unit: { ...sound.unit, active: 'activating' }, newest: 3000, settings: null },
      ['~ fail2ban restarted'],
    ],
    ['starting', { unit: { ...sound.unit, active: 'activating' }, settings: null }, ['+ fail2ban started']],
    ['changed while it runs', { settings: { maxretry: '9' } }, ['~ fail2ban restarted: it has maxretry 9']],
    ['no such jail', { settings: null }, ['~ fail2ban restarted: it has no jail sshd']],
    [
      'failed, as Debian 12 installs it',
      { unit: { ...sound.unit, active: 'failed', since: undefined }, settings: null },
      ['+ fail2ban started'],
    ],
    ['disabled', { unit: { ...sound.unit, enabled: 'disabled' } }, ['+ fail2ban at boot']],
    ['masked', { unit: { ...sound.unit, enabled: 'masked' } }, ['! fail2ban.service is masked']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
  })

  test('what fail2ban-client says', () => {
    const { parse } = jailSettings('sshd', ['maxretry', 'bantime'])
    const head =
      'Fail2Ban v1.1.0 reads log file that contains password failure report\nand bans the corresponding IP addresses using firewall rules.\n\n'
    const said = (stdout: string) => parse({ code: 0, stdout: head + stdout, stderr: '' })
    expect(said('fail2ban> 3\nfail2ban> 3600\nfail2ban> ')).toEqual({ maxretry: '3', bantime: '3600' })
    const absent = "fail2ban> Sorry but the jail 'nosuch' does not exist\n"
    expect(said(`${absent}${absent}fail2ban> `)).toBeNull()
    expect(said('fail2ban> fail2ban> fail2ban> ')).toBeNull()
    expect(parse(nothing)).toBeNull()
  })
})
