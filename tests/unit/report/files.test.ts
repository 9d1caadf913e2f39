import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import type { Event } from '@infra/shared/engine/events'
import { githubSummary } from '@infra/shared/report/github'
import { junitReporter } from '@infra/shared/report/junit'
import { combine, tolerant } from '@infra/shared/report/reporter'
import { runLog } from '@infra/shared/report/run-log'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../support/temp.ts'
import { parseXml } from '../../support/xml.ts'
import { everything } from './plans.ts'

const nasty = `a<b> & "c" 'd' ]]> \u0000\u0007 größe`

const verification: Event[] = [
  { type: 'run.start', workspace: 'pod', command: 'verify', environment: undefined },
  { type: 'check', id: 'ok.one', about: 'disk', outcome: 'ok', detail: nasty, remedy: undefined },
  { type: 'check', id: 'warn.one', about: 'cert', outcome: 'warn', detail: '12 days', remedy: 'renew' },
  { type: 'check', id: 'fail.one', about: nasty, outcome: 'fail', detail: nasty, remedy: nasty },
  { type: 'check', id: 'skip.one', about: 'dns', outcome: 'skipped', detail: 'no domain', remedy: undefined },
  { type: 'check.summary', counts: { ok: 1, warn: 1, fail: 1, skipped: 1 }, ms: 1400 },
  { type: 'run.end', workspace: 'pod', command: 'verify', exitCode: 3, made: 0, ms: 1500 },
]

describe('JUnit', () => {
  test('is well-formed XML that tells every check', () => {
    const path = join(tempFolder(), 'junit.xml')
    const reporter = junitReporter(path)
    for (const event of verification) reporter.emit(event)
    const [suites] = parseXml(readFileSync(path, 'utf8'))
    const suite = suites?.children[0]
    expect(suite).toMatchObject({
      name: 'testsuite',
      attributes: { name: 'pod verify', tests: '4', failures: '1', skipped: '1', time: '1.5' },
    })
    const cases = suite?.children ?? []
    expect(cases.map(({ attributes }) => attributes.name)).toEqual([
      'ok.one: disk',
      'warn.one: cert',
      `fail.one: a<b> & "c" 'd' ]]>    größe`,
      'skip.one: dns',
    ])
    expect(cases.map(({ children }) => children[0]?.name)).toEqual(['system-out', 'system-out', 'failure', 'skipped'])
    expect(cases[2]?.children[0]).toMatchObject({
      attributes: { message: `a<b> & "c" 'd' ]]>    größe` },
      text: `a<b> & "c" 'd' ]]>    größe`,
    })
  })

  test('tells what kept a run from checking, and several workspaces one after the other', () => {
    const path = join(tempFolder(), 'junit.xml')
    const reporter = junitReporter(path)
    const events: Event[] = [
      { type: 'run.start', workspace: 'cluster', command: 'verify', environment: undefined },
      { type: 'failure', kind: 'unreachable', message: nasty, remedy: 'wake it', detail: ['asleep'] },
      { type: 'run.end', workspace: 'cluster', command: 'verify', exitCode: 4, made: 0, ms: 10 },
    ]
    for (const event of [...verification, ...events]) reporter.emit(event)
    const suites = parseXml(readFileSync(path, 'utf8'))[0]?.children ?? []
    expect(suites.map(({ attributes }) => attributes.name)).toEqual(['pod verify', 'cluster verify'])
    expect(suites[1]).toMatchObject({ attributes: { tests: '1', failures: '0', errors: '1' } })
    expect(suites[1]?.children[0]?.children[0]).toMatchObject({
      name: 'error',
      attributes: { type: 'unreachable', message: `a<b> & "c" 'd' ]]>    größe` },
      text: 'asleep\nwake it',
    })
  })

  test('that cannot be written is an error of the user, with what to do', () => {
    const reporter = junitReporter(join(tempFolder(), 'nowhere', 'junit.xml'))
    const tell = () => {
      for (const event of verification) reporter.emit(event)
    }
    expect(tell).toThrow(expect.objectContaining({ kind: 'error', remedy: expect.stringContaining('--junit') }))
  })
})

describe("GitHub's step summary", () => {
  test('holds the plan as a diff, findings and failures, added to what is there', () => {
    const path = join(tempFolder(), 'summary.md')
    writeFileSync(path, 'before\n')
    secret('sentinel-summary')
    const reporter = githubSummary(path)
    for (const event of verification) reporter.emit(event)
    reporter.emit({ type: 'message', level: 'warn', text: 'NO ENVIRONMENT: this is a plan for sample values' })
    reporter.emit({ type: 'message', level: 'info', text: 'saved' })
    reporter.emit({ type: 'plan', plan: everything, ms: 1 })
    reporter.emit({ type: 'failure', kind: 'error', message: 'sentinel-summary', remedy: undefined, detail: [] })
    const text = readFileSync(path, 'utf8')
    expect(text.startsWith('before\n')).toBe(true)
    expect(text).toContain('- **warn** expected: cert; found: 12 days. renew')
    expect(text).not.toContain('**ok**')
    expect(text).toMatch(/### pod: 1 to create, 4 to change.*\n\non \S.*\n\n```diff\n\nbase\n\+ {2}user valence\n/)
    expect(text).toContain('\n-  table old  (data loss)\n')
    expect(text.match(/```/g)).toHaveLength(2)
    expect(text).toContain('> **error** [secret]')
    expect(text).toContain('\n> **warning** NO ENVIRONMENT: this is a plan for sample values\n\n### pod: ')
    expect(text).not.toContain('saved')
  })

  test('names what a failure is about, and the remedy', () => {
    const path = join(tempFolder(), 'summary.md')
    const detail = ['VALENCE_DOMAIN is not set', "    set it in the job's variables or secrets ```"]
    const message = 'the environment of pod has 1 problem'
    githubSummary(path).emit({ type: 'failure', kind: 'error', message, remedy: 'Read docs/ci.md.', detail })
    expect(readFileSync(path, 'utf8')).toBe(
      `> **error** ${message}\n\n\`\`\`\`text\n${detail.join('\n')}\n\`\`\`\`\n\nRead docs/ci.md.\n\n`,
    )
  })
})

describe('the run log', () => {
  test('is NDJSON, readable by its owner only, without secrets', () => {
    const folder = join(tempFolder(), 'deep', 'runs')
    secret('sentinel-run-log')
    const log = runLog(folder, 'pod-deploy', () => {
      throw new Error('warned')
    })
    log.emit({ type: 'change.output', step: 's', line: 'sentinel-run-log' })
    log.close()
    const [name = ''] = readdirSync(folder)
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-pod-deploy-\d+\.ndjson$/)
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['version', 'change.output'])
    expect(lines.join()).not.toContain('sentinel')
  })

  test('only the last 50 are kept, nothing else is touched', () => {
    const folder = tempFolder()
    for (let day = 1; day <= 60; day += 1)
      writeFileSync(join(folder, `2020-01-${String(day).padStart(2, '0')}T00-00-00-pod-plan-1.ndjson`), '')
    writeFileSync(join(folder, 'mine.txt'), '')
    runLog(folder, 'pod-plan', () => {}).close()
    const names = readdirSync(folder).sort()
    expect(names).toHaveLength(51)
    expect(names[0]).toBe('2020-01-12T00-00-00-pod-plan-1.ndjson')
    expect(names).toContain('mine.txt')
  })

  test('that cannot be kept is told, and the run goes on', () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'runs'), 'a file in the way')
    const told: string[] = []
    const log = runLog(join(folder, 'runs'), 'pod-plan', (text) => told.push(text))
    log.emit({ type: 'plan.moved' })
    log.close()
    expect(told).toEqual([expect.stringContaining('no log of this run can be kept')])
  })
})

describe('a reporter that fails in mid-run', () => {
  test('is told once and left out; the others go on', () => {
    const folder = tempFolder()
    const path = join(folder, 'summary.md')
    mkdirSync(path)
    const warned: string[] = []
    const seen: string[] = []
    const both = combine([
      tolerant(githubSummary(path), (text) => warned.push(text)),
      { emit: (event) => void seen.push(event.type), close: () => void seen.push('close') },
    ])
    for (const event of verification) both.emit(event)
    both.close()
    expect(warned).toEqual([expect.stringContaining('EISDIR')])
    expect(seen).toEqual([...verification.map(({ type }) => type), 'close'])
  })
})
