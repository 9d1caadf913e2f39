import { secret } from '@infra/shared/command/secret'
import type { Event } from '@infra/shared/engine/events'
import { prettyReporter } from '@infra/shared/report/pretty'
import { progressOn } from '@infra/shared/report/progress'
import { plainPaint } from '@infra/shared/report/style'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Memory } from '../../support/sink.ts'

/** What a person sees of these events, on both streams, on a terminal of so many columns. */
function told(events: readonly Event[], columns?: number): string {
  const [out, err] = [new Memory(columns), new Memory(columns)]
  const paints = { paintOut: plainPaint, paintErr: plainPaint }
  const looks = { animate: false, diff: 'all', verbose: false, groups: false } as const
  const reporter = prettyReporter({ out: out.outlet, err: err.outlet, ...paints, ...looks })
  for (const event of events) reporter.emit(event)
  reporter.close()
  return out.text + err.text
}

describe('on a terminal', () => {
  const long = 'a sentence that goes on and on, over more than one line of this terminal, and tells what is wrong'
  const call = 'run it again: npm run deploy -w pod -- --tags security --lock-timeout 600 --skip-verification'
  const events: Event[] = [
    { type: 'message', level: 'warn', text: long },
    { type: 'check', id: 'a', about: 'disk', outcome: 'warn', detail: long, remedy: long },
    { type: 'failure', kind: 'error', message: long, remedy: `${long}\n${call}`, detail: [] },
    { type: 'change.start', script: 's', step: 's', verb: 'create', say: long, risk: 'safe' },
    { type: 'change.end', step: 's', say: long, outcome: 'done', ms: 5000 },
  ]
  const on = (columns?: number) => told(events, columns).split('\n')

  test('long warnings, findings and errors are broken at blanks, and a long name is told in part', () => {
    const lines = on(50)
    for (const line of lines.filter((text) => !text.includes('npm run'))) expect(line.length).toBeLessThanOrEqual(50)
    expect(lines).toContain('warning: a sentence that goes on and on, over more')
    expect(lines.join(' ').replace(/ +/g, ' ').split(long)).toHaveLength(6)
    expect(lines.at(-2)).toMatch(/^ {2}✓ a sentence .*… {2}5\.0 s$/)
  })

  test('a command to paste stays in one line', () => {
    expect(on(50)).toContain(`  ${call}`)
  })

  test('elsewhere all is whole', () => {
    const lines = on()
    expect(lines).toContain(`warning: ${long}`)
    expect(lines).toContain(`  ✓ ${long}  5.0 s`)
  })

  test('a secret with a blank is not broken in two before it is known', () => {
    secret('sentinel one two three four five')
    const text = 'it said that sentinel one two three four five is not what it wants'
    expect(told([{ type: 'message', level: 'warn', text }], 40)).not.toMatch(/sentinel|three|five/)
  })
})

describe('the progress of a long line', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each([40, 80])('on a terminal of %i columns that cannot draw nothing is wider', (columns) => {
    const sink = new Memory(columns)
    const progress = progressOn(sink.outlet, false, plainPaint)
    progress.start('a package')
    progress.line(`Successfully installed ${'one two three '.repeat(100)}`)
    vi.advanceTimersByTime(16_000)
    progress.stop()
    expect(sink.text).toMatch(/15 s so far: .*…\n$/)
    expect(sink.text.length).toBeLessThanOrEqual(columns)
  })

  test('off a terminal a long line of a program is told in part', () => {
    const sink = new Memory()
    const progress = progressOn(sink.outlet, false, plainPaint)
    progress.start('a package')
    progress.line(`Successfully installed ${'one two three '.repeat(100)}`)
    vi.advanceTimersByTime(16_000)
    progress.stop()
    expect(sink.text).toMatch(/^ {4}a package: 15 s so far: Successfully installed one two [^\n]*…\n$/)
    expect(sink.text.length).toBeLessThan(160)
  })
})
