import { secret } from '@infra/shared/command/secret'
import type { Event } from '@infra/shared/engine/events'
import { type PrettyOptions, prettyReporter } from '@infra/shared/report/pretty'
import { progressOn } from '@infra/shared/report/progress'
import { plainPaint } from '@infra/shared/report/style'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { controls, Memory } from '../../support/sink.ts'
import { everything } from './plans.ts'

/** To the start of the line, and erase it. */
const redraw = '\r\u001b[K'

/** What a person sees of these events, on both streams. */
function told(events: readonly Event[], options: Partial<PrettyOptions> = {}) {
  const [out, err] = [new Memory(), new Memory()]
  const reporter = prettyReporter({
    out: out.outlet,
    err: err.outlet,
    paintOut: plainPaint,
    paintErr: plainPaint,
    animate: false,
    diff: 'all' as const,
    verbose: false,
    groups: false,
    ...options,
  })
  for (const event of events) reporter.emit(event)
  reporter.close()
  return { out: out.text, err: err.text }
}

const change = (outcome: 'done' | 'failed', ms = 10): Event[] => [
  { type: 'change.start', script: 'base', step: 's', verb: 'create', say: 'package x', risk: 'safe' },
  { type: 'change.output', step: 's', line: 'Unpacking x …' },
  { type: 'change.end', step: 's', say: 'package x', outcome, ms },
]

const deployment: Event[] = [
  { type: 'run.start', workspace: 'pod', command: 'deploy', environment: undefined },
  { type: 'ask.start', target: 'here', questions: 3 },
  { type: 'ask.end', target: 'here', questions: 3, ms: 50 },
  { type: 'plan', plan: everything, ms: 1234 },
  { type: 'lock.taken', target: 'here' },
  { type: 'script.start', script: 'base' },
  ...change('done', 2500),
  { type: 'script.end', script: 'base', ms: 3000 },
  { type: 'lock.released', target: 'here' },
  { type: 'run.end', workspace: 'pod', command: 'deploy', exitCode: 0, made: 1, ms: 4000 },
]

const failure: Event = {
  type: 'failure',
  kind: 'error',
  message: 'it broke',
  remedy: 'mend it\nrun again',
  detail: ['$ apt-get install x', '\u001b[31mE: no\u001b[0m'],
}

describe('text for a person', () => {
  test('results on stdout, everything else on stderr', () => {
    const { out, err } = told(deployment)
    expect(out.startsWith('\nbase\n  +  user valence\n')).toBe(true)
    expect(out).toMatch(/\npod: 1 to create, .* 2 unchanged; risks: .* {2}1\.2 s\n$/)
    expect(err).toBe('\nbase\n  ✓ package x  2.5 s\npod: 1 change made, converged  4.0 s\n')
  })

  test('the two numbers of a deployment explain each other; -v names what', () => {
    const applied: Event = { type: 'applied', planned: 61, made: 55, unneeded: Array(7).fill('x'), more: ['y'] }
    const ran = [...deployment.slice(0, -2), applied, ...deployment.slice(-2)]
    expect(told(ran).err).toContain(
      'pod: 55 changes made, converged; 7 of the 61 planned were not needed, 1 more was  4.0 s\n',
    )
    expect(told(ran, { verbose: true }).err).toMatch(/not needed after all: x\n.* not in the plan: y/s)
    expect(told(ran).err).not.toContain('not needed after all')
    const more: Event = { ...applied, planned: 1, made: 2, unneeded: [] }
    expect(told([...deployment.slice(0, -2), more, ...deployment.slice(-2)]).err).toContain(
      'pod: 2 changes made, converged; 1 more than planned  4.0 s\n',
    )
  })

  test('off a terminal nothing is drawn and nothing is coloured', () => {
    const { out, err } = told([...deployment, failure])
    expect(out + err).not.toMatch(controls)
  })

  test('with -v: times, output and what stays', () => {
    const { out, err } = told(deployment, { verbose: true })
    expect(out).toContain('  =  timezone  UTC')
    expect(err).toContain('here answered 3 questions in 0.1 s')
    expect(err).toContain('       Unpacking x …')
    expect(err).toContain('lock taken on here')
    expect(err).toContain('base took 3.0 s')
  })

  test('a failure: what, the command, what to do', () => {
    const { out, err } = told([...change('failed'), failure])
    expect(out).toBe('')
    expect(err).toBe(
      '  ✗ package x: failed\nerror: it broke\n  $ apt-get install x\n   E: no \n  mend it\n  run again\n',
    )
  })

  test('findings of verify on stdout, with what to do', () => {
    const { out } = told([
      { type: 'run.start', workspace: 'pod', command: 'verify', environment: undefined },
      { type: 'check', id: 'a', about: 'disk', outcome: 'ok', detail: '40 % used', remedy: undefined },
      { type: 'check', id: 'b', about: 'certificate', outcome: 'warn', detail: '12 days', remedy: 'renew it' },
      { type: 'check', id: 'c', about: 'database', outcome: 'fail', detail: 'down', remedy: 'start it' },
      { type: 'check.summary', counts: { ok: 1, warn: 1, fail: 1, skipped: 0 }, ms: 100 },
    ])
    expect(out).toBe(
      '  ✓ disk  40 % used\n  ! expected: certificate; found: 12 days  [b]\n      renew it\n' +
        '  ✗ expected: database; found: down  [c]\n      start it\n' +
        'pod: 1 passed, 1 warned, 1 failed  0.1 s\n',
    )
  })

  test('findings of verify in a deploy have a heading, once', () => {
    const check: Event = { type: 'check', id: 'a', about: 'disk', outcome: 'ok', detail: 'fine', remedy: undefined }
    const checks: Event[] = [
      ...[check, check],
      { type: 'check.summary', counts: { ok: 2, warn: 0, fail: 0, skipped: 0 }, ms: 100 },
    ]
    const both = new Memory()
    const streams = { out: both.outlet, err: both.outlet }
    told([...deployment.slice(0, -1), ...checks], streams)
    expect(both.text).toMatch(/✓ package x {2}2\.5 s\n\nverify\n {2}✓ a {2}2 checks passed\n/)
    told([{ type: 'run.start', workspace: 'pod', command: 'verify', environment: undefined }, ...checks], streams)
    expect(both.text.match(/^verify$/gm)).toHaveLength(1)
  })

  test('checks of one script that passed are one line, unless all are asked for', () => {
    const passed = (id: string): Event => ({
      type: 'check',
      id,
      about: id,
      outcome: 'ok',
      detail: 'fine',
      remedy: undefined,
    })
    const failed: Event = { ...passed('net.c'), outcome: 'fail', remedy: 'mend it' } as Event
    const summary: Event = { type: 'check.summary', counts: { ok: 4, warn: 0, fail: 1, skipped: 0 }, ms: 100 }
    const events = [...['base.a', 'base.b', 'net.a', 'net.b'].map(passed), failed, passed('net.d'), summary]
    const lines = (options: Partial<PrettyOptions> = {}) => told(events, options).out.split('\n').slice(0, -2)
    expect(lines()).toEqual([
      ...[
        '  ✓ base  2 checks passed',
        '  ✗ expected: net.c; found: fine  [net.c]',
        '      mend it',
        '  ✓ net  3 checks passed',
      ],
    ])
    expect(lines({ everyCheck: true })).toHaveLength(7)
    expect(lines({ verbose: true })).toHaveLength(7)
  })

  test('a script that tells nothing has no heading', () => {
    const quiet: Event[] = [
      { type: 'script.start', script: 'nothing' },
      { type: 'script.end', script: 'nothing', ms: 1 },
    ]
    for (const groups of [false, true]) expect(told(quiet, { groups }).err).toBe('')
  })

  test('a long plan begins with its summary, and ends with it', () => {
    const steps = Array.from({ length: 50 }, () => everything.steps[0] as (typeof everything.steps)[0])
    const { out } = told([{ type: 'plan', plan: { steps }, ms: 1 }])
    expect(out.match(/50 to create, 0 unchanged/g)).toHaveLength(2)
    expect(out.split('\n')[0]).toContain('50 to create')
  })

  test('no secret, whoever puts it into a message', () => {
    secret('sentinel-pretty')
    const { out, err } = told(
      [
        { ...failure, message: 'sentinel-pretty', detail: ['sentinel-pretty'], remedy: 'sentinel-pretty' } as Event,
        { type: 'check', id: 'a', about: 'x', outcome: 'fail', detail: 'sentinel-pretty', remedy: 'sentinel-pretty' },
      ],
      { verbose: true },
    )
    expect(out + err).not.toContain('sentinel')
  })
})

describe('GitHub groups', () => {
  test('fold a script, and close before a failure so that it is seen', () => {
    const { err } = told([{ type: 'script.start', script: 'base' }, ...change('failed'), failure], { groups: true })
    expect(err.split('\n').slice(0, 4)).toEqual([
      '::group::base',
      '  ✗ package x: failed',
      '::endgroup::',
      'error: it broke',
    ])
    expect(err.match(/::endgroup::/g)).toHaveLength(1)
  })
  test('are closed once where all goes well', () => {
    const { err } = told(deployment, { groups: true })
    expect(err.match(/::group::|::endgroup::/g)).toEqual(['::group::', '::endgroup::'])
  })
})

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('on a terminal: one line drawn over again, no wider than it, what the program draws taken out', () => {
    const sink = new Memory(40)
    const progress = progressOn(sink.outlet, true, plainPaint)
    progress.start('package postgresql')
    progress.line('\u001b[31mGet:1\u001b[0m\thttp://mirror.example/a/very/long/path \u0007\rnext')
    vi.advanceTimersByTime(260)
    progress.stop()
    const frames = sink.text.split(redraw)
    expect(frames.length).toBeGreaterThan(2)
    for (const frame of frames) {
      expect([...frame].length).toBeLessThanOrEqual(39)
      expect(frame).not.toMatch(controls)
    }
    expect(frames[1]).toMatch(/^ {2}\S package postgre… {2}0\.1 s {2}Get:1/)
    expect(sink.text.endsWith(redraw)).toBe(true)
  })

  test.each([20, 40, 80, 100])(
    'on %i columns the longest name leaves room for the time and the last line',
    (columns) => {
      const sink = new Memory(columns)
      const progress = progressOn(sink.outlet, true, plainPaint)
      progress.start(`12/55 packages ${'postgresql-17 '.repeat(8)}`)
      progress.line('Get:1 http://mirror.example/a/very/long/path/to/a/package.deb')
      vi.advanceTimersByTime(83_000)
      progress.stop()
      const frame = sink.text.split(redraw).at(-2) as string
      expect(frame).toMatch(columns < 40 ? /^ {2}\S 12\/.*… {2}1 m 23 s/ : /^ {2}\S 12\/55 .*… {2}1 m 23 s {2}Get/)
      expect([...frame].length).toBeLessThan(columns)
    },
  )

  test('off a terminal a long name is told in part, every 15 seconds', () => {
    const sink = new Memory()
    const progress = progressOn(sink.outlet, false, plainPaint)
    progress.start(`1/9 packages ${'git curl wget '.repeat(20)}`)
    progress.line('Unpacking git')
    vi.advanceTimersByTime(31_000)
    progress.stop()
    expect(sink.text.split('\n')).toEqual([
      ...['15', '30'].map((s) => `    1/9 packages git curl wget git curl wget git cu…: ${s} s so far: Unpacking git`),
      '',
    ])
  })

  test('changes are counted, of as many as were planned', () => {
    const err = new Memory()
    const paints = { paintOut: plainPaint, paintErr: plainPaint, animate: true, groups: false }
    const reporter = prettyReporter({
      ...paints,
      out: new Memory().outlet,
      err: err.outlet,
      diff: 'none',
      verbose: false,
    })
    reporter.emit({ type: 'plan', plan: everything, ms: 1 })
    for (const event of change('done')) reporter.emit(event)
    reporter.emit(change('done')[0] as Event)
    vi.advanceTimersByTime(130)
    reporter.close()
    expect(err.text).toMatch(/ 2\/6 package x {2}0\.1 s/)
  })

  test('before a message the line is taken away', () => {
    const err = new Memory()
    const reporter = prettyReporter({
      out: new Memory().outlet,
      err: err.outlet,
      ...{
        paintOut: plainPaint,
        paintErr: plainPaint,
        animate: true,
        diff: 'all' as const,
        verbose: false,
        groups: false,
      },
    })
    reporter.emit({ type: 'ask.start', target: 'here', questions: 1 })
    vi.advanceTimersByTime(130)
    reporter.emit({ type: 'message', level: 'warn', text: 'look' })
    reporter.close()
    expect(err.text).toContain('asking here')
    expect(err.text.endsWith(`${redraw}warning: look\n`)).toBe(true)
  })
})
