import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { costOf } from '@infra/shared/engine/cost'
import type { Event } from '@infra/shared/engine/events'
import { clean, finished, finishedJson, oneLine, own, printable } from '@infra/shared/report/clean'
import { githubAnnotations, githubSummary } from '@infra/shared/report/github'
import { jsonReporter } from '@infra/shared/report/json'
import { junitReporter } from '@infra/shared/report/junit'
import { prettyReporter } from '@infra/shared/report/pretty'
import { progressOn } from '@infra/shared/report/progress'
import { colorPaint, plainPaint } from '@infra/shared/report/style'
import { describe, expect, test, vi } from 'vitest'
import { controls, Memory } from '../../support/sink.ts'
import { tempFolder } from '../../support/temp.ts'

/** What a stranger would like to see on the terminal of who deploys: it clears it, names its window, turns its text. */
const hostile = 'no\u001b[2J\u001b]0;owned\u0007\u009b31m\r\u202egnp.\u2066\u200f\u2028end\u007f'
const bidi = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
const password = "sentinel<&>\"of 'a' sink"

describe('a text from outside that shall be printable', () => {
  test('keeps letters, tabs and line ends, and nothing that draws', () => {
    expect(printable('größe\t東京 👩‍🚀\n')).toBe('größe\t東京 👩‍🚀\n')
    expect(printable('\u001b[31mred\u001b[0m \u001b[2K\u001b]0;x\u0007 \r\b')).toBe(' red    ]0;x    ')
    expect(printable(hostile)).not.toMatch(controls)
    expect(printable(hostile)).not.toMatch(bidi)
    expect(printable('half \ud83d of one, hidden \u{e0041}\u{e0042}')).toBe('half   of one, hidden   ')
  })

  test('is not a command to the runner of GitHub', () => {
    const text = 'x\n  ::add-mask::a\n::error file=a::b\n##[group]c\n::1 stays, std::vector too'
    expect(printable(text)).toBe('x\n  : :add-mask::a\n: :error file=a::b\n# #[group]c\n::1 stays, std::vector too')
  })

  test('cannot guess how the tool marks its own colours', () => {
    const mark = own('\u001b[31m')
    expect(finished(`${mark}x`)).toBe('\u001b[31mx')
    expect(finished(mark.replace(/[0-9a-f]{16}/, '0123456789abcdef'))).not.toMatch(controls)
  })

  test('forges no second line', () => expect(oneLine('fine\n  ✓ all is well')).toBe('fine ✓ all is well'))
})

describe('every way out takes escapes and secrets from what a stranger said:', () => {
  secret(password)
  const said = `${hostile} ${password}`
  const events: Event[] = [
    { type: 'run.start', workspace: 'pod', command: 'verify', environment: undefined },
    { type: 'ask.start', target: said, questions: 1 },
    { type: 'ask.end', target: said, questions: 1, ms: 1 },
    { type: 'lock.wait', target: 'host', holder: said },
    { type: 'script.start', script: said },
    { type: 'change.start', script: 's', step: 's', verb: 'create', say: said, risk: 'safe' },
    { type: 'change.commands', step: 's', commands: [said] },
    { type: 'change.output', step: 's', line: said },
    { type: 'change.end', step: 's', say: said, outcome: 'failed', ms: 1 },
    { type: 'work.line', line: said },
    { type: 'check', id: said, about: said, outcome: 'fail', detail: said, remedy: said },
    { type: 'check.summary', counts: { ok: 0, warn: 0, fail: 1, skipped: 0 }, ms: 1 },
    { type: 'message', level: 'warn', text: said },
    { type: 'failure', kind: 'error', message: said, remedy: said, detail: [said] },
    { type: 'cost', ...costOf(said, [{ what: said, least: 1 }], said) },
    { type: 'run.end', workspace: said, command: said, exitCode: 1, made: 0, ms: 1 },
    { type: 'summary', command: said, workspaces: [{ workspace: said, result: said, cost: said }], exitCode: 1, ms: 1 },
  ]
  const tell = (reporter: { emit(event: Event): void; close(): void }) => {
    for (const event of events) reporter.emit(event)
    reporter.close()
  }
  const expectClean = (text: string) => {
    expect(text.length).toBeGreaterThan(100)
    expect(text).not.toMatch(controls)
    expect(text).not.toMatch(bidi)
    expect(text).not.toMatch(/sentinel|&lt;&amp;/)
  }

  test('text for a person', () => {
    const [out, err] = [new Memory(), new Memory()]
    const paints = { paintOut: plainPaint, paintErr: plainPaint, animate: false, groups: true }
    tell(prettyReporter({ out: out.outlet, err: err.outlet, ...paints, diff: 'all', verbose: true }))
    expectClean(out.text)
    expectClean(err.text)
  })

  test('in colour: no escapes but those of the palette', () => {
    const both = new Memory()
    const paints = { paintOut: colorPaint, paintErr: colorPaint, animate: false, groups: false }
    tell(prettyReporter({ out: both.outlet, err: both.outlet, ...paints, diff: 'all', verbose: true }))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the palette
    expectClean(both.text.replace(/\u001b\[(?:[12]|22|3[1-69])m/g, ''))
  })

  test("GitHub's annotations: each is one line, and none but the tool's own is a command", () => {
    const out = new Memory()
    tell(githubAnnotations(out.outlet))
    expectClean(out.text)
    const lines = out.text.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line).toMatch(/^::error title=[^:,]*::/)
  })

  test('NDJSON, read by a program that shows it', () => {
    const out = new Memory()
    tell(jsonReporter(out.outlet))
    for (const line of out.text.trim().split('\n')) {
      const { text = '', message, detail, remedy, say } = JSON.parse(line)
      const shown = [text, message, detail, remedy, say].flat().filter(Boolean).join(' ')
      expect(shown).not.toMatch(controls)
      expect(shown).not.toMatch(bidi)
      expect(shown).not.toMatch(/sentinel/)
    }
  })

  test('JSON whose keys a stranger chose', () => {
    const told = JSON.parse(finishedJson({ [hostile]: { [password]: 1 } }))
    expect(JSON.stringify(Object.entries(told))).not.toMatch(/sentinel|\\u/)
  })

  test('JUnit, readable by its owner only', () => {
    const path = join(tempFolder(), 'junit.xml')
    tell(junitReporter(path))
    expectClean(readFileSync(path, 'utf8'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test("GitHub's summary, where it draws no link and ends no block either", () => {
    const path = join(tempFolder(), 'summary.md')
    const reporter = githubSummary(path)
    tell(reporter)
    const link = { type: 'check', id: 'x', about: 'x', outcome: 'fail', remedy: undefined } as const
    reporter.emit({ ...link, detail: '![x](https://evil.example/x.png)\n# big' })
    const text = readFileSync(path, 'utf8')
    expectClean(text)
    expect(text).toContain('![x\\](https://evil.example/x.png) \\# big')
  })

  test('the line that is drawn over again, where a secret would be cut in two', () => {
    vi.useFakeTimers()
    const sink = new Memory(40)
    const progress = progressOn(sink.outlet, true, plainPaint)
    progress.start('x')
    progress.line(`the password is ${password}`)
    vi.advanceTimersByTime(250)
    progress.stop()
    vi.useRealTimers()
    expect(sink.text).toContain('the password is')
    expect(sink.text).not.toMatch(/sentinel/)
  })
})

test('what is cleaned twice is as what is cleaned once', () => {
  const text = `${hostile} ${password}\n::a::b ##[c`
  expect(clean(clean(text))).toBe(clean(text))
})
