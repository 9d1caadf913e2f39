import { collect } from '@infra/shared/engine/declaration'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { securityChecks } from '../../../pod/checks/security.ts'
import type { PodEnv } from '../../../pod/env/env.ts'
import { sudoBeyond, sudoersOf, sudoLooks } from '../../../pod/host/sudo.ts'
import pod from '../../../pod/pod.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'
import { told } from '../steps/told.ts'

const host = blank('a new host')

const decisions = (variables: Readonly<Record<string, string>>) => {
  const { env } = loadPod({ '.env.pod': podFile(variables) })
  const work = collect(pod.scripts, { env: env as PodEnv, host } as never)
  const steps = work.flatMap((script) => script.steps)
  const way = steps.find(({ id }) => id === 'way in as root')
  return { env: env as PodEnv, refused: way ? told(way.plan({}, { pending: [] })) : [] }
}

describe('the rules of sudo for user valence', () => {
  test('no pattern, no list of files, no editor: commands with all their arguments', () => {
    const text = sudoersOf('commands')
    expect(text).not.toMatch(/[*?[\]]|sudoedit|(?<!NO)SETENV|(?<!NO)EXEC/)
    for (const look of sudoLooks) expect(look).toMatch(/^\/usr\/bin\/\S+ .*[a-z]/)
    expect(text).toContain('valence ALL=(ALL:ALL) !ALL\n')
    expect(sudoersOf('full')).not.toContain('!ALL')
  })

  test.each(['commands', 'full'] as const)('what looks starts no other program, a pager neither (%s)', (rights) => {
    const text = sudoersOf(rights)
    expect(text).toContain('\nDefaults!VALENCE_LOOKS noexec\n')
    expect(text).toMatch(/^valence ALL=\(root:root\) .*\bNOEXEC: .*VALENCE_LOOKS$/m)
  })

  test.each([
    ['a deployment by root', {}, []],
    ['by another user', { VALENCE_SSH_USER: 'admin' }, []],
    [
      'by valence, whose sudo it would take away',
      { VALENCE_SSH_USER: 'valence' },
      [
        '! this deployment logs in as valence (VALENCE_SSH_USER) and works by its sudo, which VALENCE_SUDO=commands takes away',
      ],
    ],
    ['by valence, which keeps it', { VALENCE_SSH_USER: 'valence', VALENCE_SUDO: 'full' }, []],
  ])('%s', (_, variables, refused) => {
    expect(decisions(variables).refused).toEqual(refused)
  })
})

const listed = (...entries: string[]) => ({
  code: 0,
  stdout: `Matching Defaults entries for valence on pod:
    env_reset, mail_badpass, use_pty

Runas and Command-specific defaults for valence:
    Defaults!/usr/bin/journalctl -u certbot noexec

User valence may run the following commands on pod:
${entries.map((entry) => `    ${entry}\n`).join('')}`,
  stderr: '',
})
const ours = [
  `(root : root) NOSETENV: NOEXEC: NOPASSWD: ${sudoLooks.join(',\n        ')}`,
  '(root : root) NOSETENV: NOPASSWD: /usr/sbin/ufw status',
  '(valence) NOSETENV: NOPASSWD: /usr/bin/psql -h localhost -d valence',
]

describe('what valence may run beyond them', () => {
  test.each<[string, string[], string[]]>([
    ['nothing', ['(ALL : ALL) !ALL', ...ours], []],
    ['what is denied again', ['(ALL : ALL) ALL', '(ALL : ALL) !ALL', ...ours], []],
    ['no rule denies', ['(ALL : ALL) ALL', ...ours], ['ALL (as ALL : ALL)']],
    [
      'a drop-in of somebody else',
      ['(ALL : ALL) !ALL', ...ours, '(ALL) NOPASSWD: /usr/bin/apt update, ALL'],
      ['/usr/bin/apt update (as ALL)', 'ALL (as ALL)'],
    ],
    [
      'ours as another account',
      ['(ALL : ALL) !ALL', `(postgres) ${ours[2]?.split(': ').at(-1)}`],
      ['/usr/bin/psql -h localhost -d valence (as postgres)'],
    ],
  ])('%s', (_, entries, beyond) => {
    expect(sudoBeyond.parse(listed(...entries))).toEqual(beyond)
  })

  test('no rule at all, and no answer', () => {
    expect(
      sudoBeyond.parse({ code: 0, stdout: 'User valence is not allowed to run sudo on pod.\n', stderr: '' }),
    ).toEqual([])
    expect(() => sudoBeyond.parse({ code: 1, stdout: '', stderr: 'sudo: unknown user valence\n' })).toThrow(
      /unknown user/,
    )
  })

  test('verify tells them, and groups that make root', () => {
    const { env } = decisions({})
    const check = securityChecks({ env, host, pins: '' }).find(({ id }) => id === 'security.sudo')
    const judge = (groups: string[], beyond: string[]) => check?.asked?.judge?.({ now: { groups }, beyond })
    expect(judge(['valence'], [])).toMatchObject({ outcome: 'ok' })
    expect(judge(['valence', 'docker'], ['ALL (as ALL)'])).toEqual({
      outcome: 'warn',
      detail: 'in group docker, may run ALL (as ALL)',
    })
  })
})
