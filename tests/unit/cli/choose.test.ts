import { chooseChecks, chooseScripts } from '@infra/shared/cli/session'
import type { Check } from '@infra/shared/engine/check'
import { Failure } from '@infra/shared/engine/failure'
import { script } from '@infra/shared/engine/script'
import { describe, expect, test } from 'vitest'

const named = (name: string, ...tags: string[]) => script<unknown>(name, { about: '', tags }, () => [])
const scripts = [named('security'), named('common'), named('postgresql', 'db'), named('synapse', 'matrix', 'db')]

const chosen = (tags?: string[], skip?: string[]) => chooseScripts(scripts, tags, skip).map(({ name }) => name)

function refused(tags?: string[], skip?: string[]): Failure {
  try {
    chooseScripts(scripts, tags, skip)
  } catch (error) {
    if (error instanceof Failure) return error
  }
  throw new Error('they were taken')
}

describe('scripts', () => {
  test.each([
    [undefined, undefined, ['security', 'common', 'postgresql', 'synapse']],
    [['postgresql'], undefined, ['postgresql']],
    [['db'], undefined, ['postgresql', 'synapse']],
    [['matrix', 'security'], undefined, ['security', 'synapse']],
    [undefined, ['db'], ['security', 'common']],
    [['db'], ['matrix'], ['postgresql']],
  ])('tags %j without %j: %j', (tags, skip, names) => expect(chosen(tags, skip)).toEqual(names))

  test('an unknown tag is refused, with the nearest one or all of them', () => {
    expect(refused(['postgres'])).toMatchObject({ kind: 'usage', remedy: 'Did you mean postgresql?' })
    expect(refused(undefined, ['comon'])).toMatchObject({ kind: 'usage', remedy: 'Did you mean common?' })
    expect(refused(['zzz']).remedy).toBe('There are: security, common, postgresql, db, synapse, matrix')
  })

  test('a command is named as one', () => {
    expect(refused(['verify']).remedy).toMatch(/^verify is a command by itself: npm run verify/)
    expect(refused(['deploy']).remedy).toContain('npm run deploy')
  })

  test('a choice that leaves nothing is refused: it is not what was meant', () => {
    expect(refused(['db'], ['db'])).toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('leave no script'),
    })
  })
})

test('checks go with their scripts; those of no script are always made', () => {
  const ids = ['security.ufw', 'db.size', 'postgresql.role', 'synapse.up', 'outside.ssh', 'plain']
  const checks = ids.map((id): Check => ({ id, about: '', remedy: '' }))
  const kept = (tags?: string[], skip?: string[]) =>
    chooseChecks(checks, scripts, chooseScripts(scripts, tags, skip)).map(({ id }) => id)
  expect(kept()).toEqual(ids)
  expect(kept(['security'])).toEqual(['security.ufw', 'outside.ssh', 'plain'])
  expect(kept(['postgresql'])).toEqual(['db.size', 'postgresql.role', 'outside.ssh', 'plain'])
  expect(kept(undefined, ['db'])).toEqual(['security.ufw', 'outside.ssh', 'plain'])
})
