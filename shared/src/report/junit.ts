import type { Event } from '../engine/events.ts'
import { Failure } from '../engine/failure.ts'
import { clean } from './clean.ts'
import { saveTo } from './outlet.ts'
import type { Reporter } from './reporter.ts'

/** Collects the findings of verify and writes them to `path` as a JUnit report when the run ends. */
export function junitReporter(path: string): Reporter {
  const checks: Extract<Event, { type: 'check' }>[] = []
  let suite = ''
  return {
    emit(event) {
      if (event.type === 'run.start') suite = `${event.workspace} ${event.command}`
      if (event.type === 'check') checks.push(event)
      if (event.type === 'check.summary') save(path, renderJunit(suite, checks, event.ms))
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

function renderJunit(suite: string, checks: readonly Extract<Event, { type: 'check' }>[], ms: number): string {
  const count = (outcome: string) => checks.filter((check) => check.outcome === outcome).length
  const cases = checks.map(({ id, about, outcome, detail, remedy }) => {
    const head = `    <testcase classname="${xml(suite)}" name="${xml(`${id}: ${about}`)}"`
    if (outcome === 'fail') return `${head}><failure message="${xml(detail)}">${xml(remedy ?? '')}</failure></testcase>`
    if (outcome === 'skipped') return `${head}><skipped message="${xml(detail)}"/></testcase>`
    return `${head}><system-out>${xml(`${outcome}: ${detail}`)}</system-out></testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite name="${xml(suite)}" tests="${checks.length}" failures="${count('fail')}" skipped="${count('skipped')}" time="${ms / 1000}">`,
    ...cases,
    '</testsuite></testsuites>',
    '',
  ].join('\n')
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
