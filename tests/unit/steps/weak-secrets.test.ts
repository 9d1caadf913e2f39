import { scramVerifier } from '@infra/shared/command/scram'
import { asWeak, ofVariable, secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import type { Purpose } from '@infra/shared/env/variable'
import { refuseWeak, weakSecretsInForce } from '@infra/shared/steps/new-secret'
import { postgresRole } from '@infra/shared/steps/postgres/postgres'
import { matrixUserAccounts } from '@infra/shared/steps/synapse/matrix-users'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'
import { told } from './told.ts'

const on = blank('a host')
const none = { pending: [] }
const weak = ofVariable(asWeak(secret('Summer2026Berlin'), 'is tried first'), 'VALENCE_DB_PASSWORD')
const refused = expect.stringMatching(/^! VALENCE_DB_PASSWORD is new here, and weak: it is tried first/)

describe('a weak password is not brought into force, and locks nobody out where it is:', () => {
  const server = { version: 17, identifier: '1' }
  const role = postgresRole(on, 'valence', { password: weak })
  const state = { login: true, superuser: false }
  const held = (text: string) => ({ ...state, verifier: scramVerifier(secret(text), Buffer.alloc(16)) })
  test.each([
    ['no role yet', null, refused],
    ['another password', held('another'), refused],
    ['the same one', held('Summer2026Berlin'), expect.stringMatching(/^= logs in/)],
    ['one that is kept in the older way', { ...state, verifier: secret('md5b7c0') }, '~ password of role valence'],
  ])('role: %s', (_, now, says) => expect(told(role.plan({ now, server }, none))).toEqual([says]))

  const users = matrixUserAccounts(on, {
    ...{ serverName: 'a.example', database: 'v', role: 'v', venv: '/x', url: 'http://127.0.0.1', unit: 'x.service' },
    users: [{ name: 'admin', admin: true, password: weak }],
    secret: secret('shared registration secret'),
    ready: raw('true'),
  })
  const user = { admin: true, deactivated: false, locked: false, password: true }
  test.each([
    ['no user yet', null, refused],
    ['another password', { ...user, password: false }, refused],
    ['the same one', user, '= @admin (admin)'],
    ['the same one of a locked user', { ...user, locked: true }, '~ Matrix user @admin:a.example not locked'],
  ])('Matrix user: %s', (_, now, says) => expect(told(users.plan({ now: [now] }, none))).toEqual([says]))

  const file = weakSecretsInForce(on, '/etc/homeserver.yaml', [weak])
  test.each([
    ['a file without it', false, refused],
    ['a file that holds it', true, '= in force already'],
  ])('configuration: %s', (_, found, says) => expect(told(file.plan({ 0: found }, none))).toEqual([says]))

  test('configuration: the question holds the secret in its stdin only, and a file that cannot be read is not an answer', () => {
    const question = file.ask['0']
    expect(question?.command.line).not.toContain('Summer')
    expect(() => question?.parse({ code: 2, stdout: '', stderr: 'Permission denied' })).toThrow('Permission denied')
  })

  test('a strong one is nothing to refuse', () => expect(refuseWeak([secret('Summer2026Berlin')])).toBeUndefined())
})

describe('an environment with a weak secret', () => {
  const of = (unjudged: boolean) =>
    loadPod({ '.env.pod': podFile({ VALENCE_DB_PASSWORD: 'Summer2026Berlin' }) }, { unjudged })

  test('loads, with a warning that tells how to rotate it and does not show it', () => {
    const { env, warnings } = of(false)
    expect(warnings).toEqual([
      {
        variable: 'VALENCE_DB_PASSWORD',
        message: expect.stringMatching(/^is weak: it is made of words/),
        remedy: expect.stringMatching(
          /empty it in \.env\.pod, then: npm run validate -w pod -- --generate; and deploy/,
        ),
      },
    ])
    expect(JSON.stringify(warnings)).not.toContain('Summer2026')
    expect(refuseWeak([env?.VALENCE_DB_PASSWORD ?? weak])).toBeDefined()
  })

  test('is told where it can come into force only, and validate says what a plan does with it', () => {
    const told = (purpose: Purpose) =>
      loadPod({ '.env.pod': podFile({ VALENCE_DB_PASSWORD: 'Summer2026Berlin' }) }, { purpose }).warnings.map(
        ({ message }) => message,
      )
    for (const purpose of ['plan', 'deploy'] as const) expect(told(purpose)).toHaveLength(1)
    expect(told('validate')).toEqual([expect.stringMatching(/ plan refuses it where it is not deployed yet$/)])
    for (const purpose of ['verify', 'access'] as const) expect(told(purpose)).toEqual([])
  })

  test('that is refused is told with the line to type', () => {
    const { env } = of(false)
    expect(refuseWeak([env?.VALENCE_DB_PASSWORD ?? weak])).toMatchObject({
      remedy: expect.stringMatching(/empty it in \.env\.pod, then: npm run validate -w pod -- --generate/i),
    })
    const [short] = loadPod({ '.env.pod': podFile({ VALENCE_DB_PASSWORD: 'Gf3kQz9' }) }).problems ?? []
    expect(short?.remedy).toMatch(/empty it, then: npm run validate -w pod -- --generate/)
  })

  test('is taken as it is with --skip-validation, new or not', () => {
    const { env } = of(true)
    expect(env && refuseWeak([env.VALENCE_DB_PASSWORD])).toBeUndefined()
  })
})
