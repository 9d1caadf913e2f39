import { nothing, revealText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { type MatrixUserState, matrixUsers } from '@infra/shared/facts/synapse/matrix-users'
import { matrixUserAccounts } from '@infra/shared/steps/synapse/matrix-users'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const server = { serverName: 'pod.example.org', database: 'valence', role: 'v', venv: '/opt/venvs/matrix-synapse' }
const users = [
  { name: 'admin', admin: true, password: secret('the "admin" \\ of it') },
  { name: 'bot', admin: false, password: secret("the bot's, $(of) it") },
]
const step = matrixUserAccounts(blank('new'), {
  ...server,
  users,
  secret: secret('shared registration secret'),
  url: 'http://127.0.0.1:8008',
  unit: 'matrix-synapse.service',
  ready: raw('true'),
})
const admin: MatrixUserState = { admin: true, deactivated: false, locked: false, password: true }
const bot = { ...admin, admin: false }

describe('matrixUserAccounts', () => {
  test.each<[string, (MatrixUserState | null)[], string[]]>([
    ['as desired', [admin, bot], ['= @admin (admin), @bot']],
    ['none', [null, null], ['+ Matrix user @admin:pod.example.org', '+ Matrix user @bot:pod.example.org']],
    ['one lost', [admin, null], ['+ Matrix user @bot:pod.example.org']],
    ['another password', [{ ...admin, password: false }, bot], ['~ password of Matrix user @admin:pod.example.org']],
    [
      'deactivated, which takes the password too',
      [admin, { ...bot, deactivated: true, password: false }],
      ['~ Matrix user @bot:pod.example.org active again'],
    ],
    [
      'rights lost',
      [{ ...admin, admin: false, locked: true }, bot],
      ['~ Matrix user @admin:pod.example.org not locked, administrator'],
    ],
    ['too many rights', [admin, admin], ['~ Matrix user @bot:pod.example.org no administrator']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ now }, { pending: [] }))).toEqual(desired)
  })

  test('passwords and the shared secret travel by stdin, as JSON', () => {
    const decision = step.plan({ now: [null, { ...bot, password: false }] }, { pending: [] })
    const commands = decision.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : []
    expect(commands).toHaveLength(2)
    for (const { line } of commands) expect(line).not.toMatch(/of it|shared registration/)
    const [register, set] = commands.map(({ stdin }) => JSON.parse(revealText(stdin ?? { parts: [] })))
    expect(register).toMatchObject({
      url: 'http://127.0.0.1:8008/_synapse/admin/v1/register',
      secret: 'shared registration secret',
      users: [{ name: 'admin', id: '@admin:pod.example.org', admin: true, password: 'the "admin" \\ of it' }],
    })
    expect(set).toMatchObject({
      psql: { '': expect.arrayContaining(['-u', 'v', '-d', 'valence']) },
      users: [{ name: 'bot', admin: false, password: "the bot's, $(of) it" }],
    })
  })

  test('what the host says of them', () => {
    const { parse, command } = matrixUsers(server, users)
    expect(command.line).not.toContain('of it')
    expect(parse(nothing)).toEqual([null, null])
    expect(parse({ code: 0, stdout: JSON.stringify([admin, null]), stderr: '' })).toEqual([admin, null])
    expect(() => parse({ code: 1, stdout: '', stderr: 'Traceback\nconnection refused\n' })).toThrow(
      'the users of Synapse cannot be read: connection refused',
    )
  })
})
