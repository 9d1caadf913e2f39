import { raw } from '@infra/shared/command/sh'
import type { Plan } from '@infra/shared/engine/plan'
import { changes, converged, create, noting } from '@infra/shared/engine/step'
import { finished } from '@infra/shared/report/clean'
import { type PlanTextOptions, planLines } from '@infra/shared/report/plan-text'
import { countPlan, summarize, viewOf } from '@infra/shared/report/plan-view'
import { colorPaint, plainPaint } from '@infra/shared/report/style'
import { describe, expect, test } from 'vitest'
import { controls } from '../../support/sink.ts'
import { calm, everything, planned } from './plans.ts'

const calmly = converged('')
const lines = (options: Partial<PlanTextOptions> = {}, plan: Plan = everything) =>
  planLines(viewOf(plan), { paint: plainPaint, diff: 'none', verbose: false, ...options })

describe('the lines of a plan', () => {
  test('tell changes only, by script, with symbol, risk and what is uncertain', () => {
    expect(lines()).toEqual([
      '',
      'base',
      '  +  user valence',
      '  ~  /etc/motd',
      '  ~  /etc/env',
      '',
      'net',
      '  ~? ssh restarted  (restart)',
      '  ~  cluster 16  (downtime)',
      '  -  table old  (data loss)',
      '  ?  role  asked again after 4 earlier steps',
      '  ?  extension  version: no answer',
      '  !  disk: it cannot shrink',
    ])
  })

  test('with diffs: three lines of context, and never a secret', () => {
    expect(lines({ diff: 'all' }).slice(3, 11)).toEqual([
      '  ~  /etc/motd',
      '       @@ -1,3 +1,3 @@',
      '        one',
      '       -two',
      '       +2',
      '        three',
      '  ~  /etc/env',
      '       content not shown: it holds a secret or is large',
    ])
  })

  test('of a new file say how long it is, and show it on demand; what changes of one that is there is shown', () => {
    const file = (before: string, after: string, say = '/etc/x') => {
      const diff = { kind: 'text', path: '/etc/x', before, after } as const
      return lines({ diff: 'changes' }, { steps: [planned('x', changes([create(say, raw('true'), { diff })], ''))] })
    }
    expect(file('', 'one\ntwo\n').slice(2)).toEqual(['  +  /etc/x  (2 lines)'])
    expect(file('', 'one\n', 'service x').slice(2)).toEqual(['  +  service x  (/etc/x: 1 line)'])
    expect(file('one\n', 'two\n').slice(2)).toEqual([
      '  +  /etc/x',
      ...['@@ -1,1 +1,1 @@', '-one', '+two'].map((line) => `       ${line}`),
    ])
  })

  test('when verbose, what stays and why, other scripts too', () => {
    const verbose = lines({ verbose: true })
    expect(verbose).toContain('  =  timezone  UTC')
    expect(verbose.slice(-2)).toEqual(['unchanged', '  =  quiet  nothing to do'])
  })

  test('what is seen and left alone is told, whether something changes or not', () => {
    const kept = noting(converged('fine'), ['service old is no longer wanted\u001b[2J'])
    const made = noting(changes([create('x', raw('true'))], ''), ['a stranger'])
    const plan = { steps: [planned('a', kept), planned('b', made), planned('c', noting(calmly, []))] }
    const [, , ...told] = lines({}, plan)
    expect(told.map((line) => line.replace(controls, ''))).toEqual([
      expect.stringMatching(/^ {2}i {2}service old is no longer wanted/),
      '  +  x',
      '  i  a stranger',
    ])
    expect(finished(told.join(''))).not.toMatch(controls)
  })

  test('of nothing to do are none', () => expect(lines({ diff: 'all' }, calm)).toEqual([]))

  test('a file from the host cannot draw on the terminal', () => {
    const diff = {
      kind: 'text',
      path: '/x',
      before: 'a\u001b[2J\u009b31m\u0007\u001b]0;title\u0007',
      after: 'b\tc',
    } as const
    const plan = { steps: [planned('x', changes([create('x', raw('true'), { diff })], ''))] }
    const text = finished(lines({ diff: 'all' }, plan).join('\n'))
    expect(text).not.toMatch(controls)
    expect(text).toContain('+b\tc')
  })

  test('are coloured by what they do', () => {
    const painted = lines({ paint: colorPaint, diff: 'all' }).map(finished)
    expect(painted).toContain('  \u001b[32m+\u001b[39m  user valence')
    expect(painted).toContain('       \u001b[31m-two\u001b[39m')
    expect(painted.join('\n')).toContain('\u001b[31m  (data loss)\u001b[39m')
  })
})

describe('the summary', () => {
  const table: [string, Plan, string][] = [
    [
      'everything',
      everything,
      'pod: 1 to create, 4 to change, 1 to remove, 2 not known yet, 1 refused, 2 unchanged; risks: 1 × restart, 1 × downtime, 1 × data loss',
    ],
    ['nothing to do', calm, 'pod: nothing to change, 2 unchanged'],
    ['no steps', { steps: [] }, 'pod: nothing to change, 0 unchanged'],
    ['all new', { steps: everything.steps.slice(0, 1) }, 'pod: 1 to create, 0 unchanged'],
  ]
  test.each(table)('of %s', (_name, plan, text) => expect(summarize('pod', viewOf(plan))).toBe(text))

  test('counts changes, not steps, and steps that stay', () => {
    const two = changes([create('a', raw('true')), create('b', raw('true'))], '')
    expect(countPlan({ steps: [planned('x', two), ...calm.steps] })).toMatchObject({ create: 2, unchanged: 2 })
  })
})
