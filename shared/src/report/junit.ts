import type { Event } from '../engine/events.ts'
import { Failure } from '../engine/failure.ts'
import { clean } from './clean.ts'
import { saveTo } from './outlet.ts'
import type { Reporter } from './reporter.ts'

interface Suite {
  readonly name: string
  readonly checks: Extract<Event, { type: 'check' }>[]
  readonly failures: Extract<Event, { type: 'failure' }>[]
  ms: number
}

/**
 * Collects the findings of verify and writes them to `path` as a JUnit report when a run ends, however it ends: a host
 * that was not reached is an error in it. Runs of several workspaces, one after the other, are suites of one report.
 */
export function junitReporter(path: string): Reporter {
  const suites: Suite[] = []
  return {
    emit(event) {
      if (event.type === 'run.start')
        suites.push({ name: `${event.workspace} ${event.command}`, checks: [], failures: [], ms: 0 })
      const suite = suites.at(-1)
      if (!suite) return
      if (event.type === 'check') suite.checks.push(event)
      if (event.type === 'failure') suite.failures.push(event)
      if (event.type !== 'run.end') return
      suite.ms = event.ms
      save(path, renderJunit(suites))
    },
    close() {},
  }
}

function save(path: string, report: string): void {
  try {
    saveTo(path, report)
  } catch (error) {
    throw new Failure('error', `the JUnit report cannot be written: ${(error as Error).message}`, {
      remedy: 'Name a file in a folder that you can write with --junit.',
    })
  }
}

function renderJunit(suites: readonly Suite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteLines({ name, checks, failures, ms }: Suite): string[] {
  const count = (outcome: string) => checks.filter((check) => check.outcome === outcome).length
  const cases = checks.map(({ id, about, outcome, detail, remedy }) => {
    const head = `    <testcase classname="${xml(name)}" name="${xml(`${id}: ${about}`)}"`
    if (outcome === 'fail') return `${head}><failure message="${xml(detail)}">${xml(remedy ?? '')}</failure></testcase>`
    if (outcome === 'skipped') return `${head}><skipped message="${xml(detail)}"/></testcase>`
    return `${head}><system-out>${xml(`${outcome}: ${detail}`)}</system-out></testcase>`
  })
  const errors = failures.map(({ message, kind, detail, remedy }) => {
    const more = [...detail, remedy ?? ''].filter(Boolean).join('\n')
    return `    <testcase classname="${xml(name)}" name="the run itself"><error type="${kind}" message="${xml(message)}">${xml(more)}</error></testcase>`
  })
  const counts = `tests="${checks.length + failures.length}" failures="${count('fail')}" errors="${failures.length}" skipped="${count('skipped')}"`
  return [`  <testsuite name="${xml(name)}" ${counts} time="${ms / 1000}">`, ...cases, ...errors, '  </testsuite>']
}

function xml(text: string): string {
  // Before it is escaped: a secret that holds `&` is none afterwards. XML 1.0 cannot hold controls, even escaped.
  return clean(text)
    .replace(/[\ufffe\uffff]/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
