import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failureIn, inEnvironment, tellingOf } from '@infra/shared/cli/in-environment'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import type { Plan } from '@infra/shared/engine/plan'
import { describe, expect, test } from 'vitest'
import { root, scriptsOf } from '../project/pages.ts'

/** The lines of the sources that tell a user to call a command. */
const told = ['shared/src', 'pod', 'cluster', 'stoat'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .flatMap((file) =>
      readFileSync(join(root, folder, file), 'utf8')
        .split('\n')
        .filter((line) => line.includes('npm run ') && !/^\s*(\*|\/[/*])/.test(line))
        .map((line) => [`${folder}/${file}`, line] as const),
    ),
)

const calls = (text: string) => [...text.matchAll(/npm run ([a-z]+)(?: -w [a-z]+)?(?: --[^;,()`\n]*)?/g)]

describe('the environment in force', () => {
  test('is named by every call that a text of the sources tells to type', () => {
    expect(told.length).toBeGreaterThan(80)
    for (const [file, line] of told) {
      const said = inEnvironment(line.replaceAll(/\$\{[^}]*(workspace|name)\}/gi, 'pod'), 'staging')
      for (const [call, script] of calls(said))
        if (script !== 'show') expect(call, file).toMatch(/ -- (.* )?--env( |=)/)
    }
  })

  test('is known to every script that it is named with', () => {
    const known = new Set(['.', 'pod', 'cluster', 'stoat'].flatMap((folder) => Object.keys(scriptsOf(folder))))
    for (const [file, line] of told)
      for (const [, script = ''] of calls(line)) expect(known, `${file}: ${line}`).toContain(script)
  })

  test.each([
    ['npm run deploy -w pod', 'npm run deploy -w pod -- --env staging'],
    [
      'npm run provision -w pod -- --write-env makes it',
      'npm run provision -w pod -- --env staging --write-env makes it',
    ],
    ['saved: npm run deploy -- --plan F', 'saved: npm run deploy -- --env staging --plan F'],
    ['on the host (npm run ssh -w pod), as root', 'on the host (npm run ssh -w pod -- --env staging), as root'],
    ['npm run validate -w pod -- --env staging --generate', undefined],
    [
      'npm run logs -w pod -- x; npm run deploy -w pod',
      'npm run logs -w pod -- --env staging x; npm run deploy -w pod -- --env staging',
    ],
    ['npm run show -- F', undefined],
    ['npm run rehearse -w pod', undefined],
  ])('%s', (text, expected = text) => {
    expect(inEnvironment(text, 'staging')).toBe(expected)
    expect(inEnvironment(expected, 'staging')).toBe(expected)
    expect(inEnvironment(text, undefined)).toBe(text)
  })

  test('is named wherever a run tells something', () => {
    const [text, full] = ['npm run deploy -w pod', 'npm run deploy -w pod -- --env staging']
    const heard: Event[] = []
    const emit = tellingOf('staging', (event) => heard.push(event))
    const plan = {
      steps: [
        { decision: { kind: 'refused', reason: text, remedy: text }, unknown: undefined },
        { decision: { kind: 'converged', because: 'so', notes: [text] }, unknown: undefined },
        { decision: undefined, unknown: text },
      ],
    } as unknown as Plan
    emit({ type: 'message', level: 'info', text })
    emit({ type: 'failure', kind: 'error', message: text, remedy: text, detail: [text] })
    emit({ type: 'check', id: 'a', about: 'a', outcome: 'fail', detail: text, remedy: text })
    emit({ type: 'plan', plan, ms: 0 })
    const said = JSON.stringify(heard)
    expect(said.split(full)).toHaveLength(1 + 1 + 3 + 2 + 4)
    expect(said.replaceAll(full, '')).not.toContain(text)
  })

  test('is named by a failure of the call itself', () => {
    const failure = new Failure('usage', 'no', { remedy: 'npm run plan -w pod' })
    for (const argv of [
      ['plan', '--env', 'staging'],
      ['plan', '--env=staging'],
    ])
      expect(failureIn(failure, argv)).toMatchObject({ kind: 'usage', remedy: 'npm run plan -w pod -- --env staging' })
    expect(failureIn(failure, ['plan', '--env'])).toBe(failure)
  })
})
