import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bare, type Ran, startTrio } from '../../support/fixture-workspace.ts'
import { tempFolder } from '../../support/temp.ts'

type Name = 'left' | 'middle' | 'right'
const names: readonly Name[] = ['left', 'middle', 'right']

/** A root with an environment for some of the three workspaces, and the folders that they are deployed to. */
function trio(troubles: Partial<Record<Name, string>>, more: Readonly<Record<string, string>> = {}) {
  const root = tempFolder()
  for (const [name, trouble] of Object.entries(troubles)) {
    mkdirSync(join(root, name))
    const upper = name.toUpperCase()
    const lines = [`${upper}_FOLDER=${join(root, name)}`, `${upper}_TROUBLE=${trouble}`]
    writeFileSync(join(root, `.env.${name}`), lines.join('\n'), { mode: 0o600 })
  }
  const env: NodeJS.ProcessEnv = { ...bare(), INFRA_ROOT: root, ...more }
  return {
    root,
    run: (...args: string[]): Promise<Ran> => startTrio({ env }, args).ended,
    there: (name: Name) => (existsSync(join(root, name)) ? readdirSync(join(root, name)).sort() : []),
  }
}

const fine = { left: 'none', middle: 'none', right: 'none' }

/** The rows of the table at the end, without times and blanks. */
function table({ stdout }: Ran): string[] {
  const lines = stdout.trimEnd().split('\n')
  const from = lines.findLastIndex((line) => line.startsWith('workspace '))
  return lines.slice(from + 1).map((line) => line.replace(/ {2,}([\d.]+ s|-)/g, '').replace(/ {2,}/g, ' | '))
}

describe.concurrent('the table of npm run plan', () => {
  test.each<[string, Partial<Record<Name, string>>, string[], number, string[]]>([
    [
      'of one workspace',
      { left: 'none' },
      [],
      0,
      ['left | planned | +1 (1 restart)', 'middle | not configured, skipped', 'right | not configured, skipped'],
    ],
    [
      'of two',
      { middle: 'none', right: 'none' },
      ['--detailed-exitcode'],
      2,
      [
        'left | not configured, skipped',
        'middle | planned (exit 2) | +1 (1 restart) | ~$5',
        'right | planned (exit 2) | +1 (1 restart)',
      ],
    ],
    [
      'with one unreachable',
      { ...fine, middle: 'unreachable' },
      [],
      4,
      ['left | planned | +1 (1 restart)', 'middle | unreachable (exit 4)', 'right | planned | +1 (1 restart)'],
    ],
    [
      'with one invalid, which is worse than unreachable',
      { left: 'nonsense', middle: 'unreachable', right: 'none' },
      ['--detailed-exitcode'],
      1,
      ['left | failed (exit 1)', 'middle | unreachable (exit 4)', 'right | planned (exit 2) | +1 (1 restart)'],
    ],
  ])('%s', async (_name, troubles, words, code, rows) => {
    const ran = await trio(troubles).run('plan', ...words)
    expect([ran.code, table(ran)], ran.stderr).toEqual([code, rows])
  })

  test('of none: an error, for a job may have lost its secrets; sample values where they are asked for', async () => {
    const { run } = trio({})
    const [plan, verify, offline] = await Promise.all([run('plan'), run('verify'), run('plan', '--offline')])
    expect([plan.code, verify.code]).toEqual([1, 1])
    expect(plan.stderr).toMatch(
      /no workspace is configured: none of \.env\.left, [^\n]*\n.*npm run validate -w left -- --generate makes \.env\.left .*--offline/,
    )
    expect([offline.code, table(offline)]).toEqual([0, expect.arrayContaining(['left | planned | +1 (1 restart)'])])
    expect(offline.stderr.match(/NO ENVIRONMENT/g)).toHaveLength(3)
  })
})

test('what works side by side is told in order, and once', async () => {
  // The first answers last.
  const { run } = trio(fine, { LEFT_LATENCY: '500' })
  const { stdout, stderr } = await run('plan')
  expect([...stderr.matchAll(/^── (\w+)$/gm)].map(([, name]) => name)).toEqual(names)
  expect([...stdout.matchAll(/^(\w+): 1 to create/gm)].map(([, name]) => name)).toEqual(names)
})

test('with 100 ms on every target a plan of all takes hardly longer than the slowest', async () => {
  const late = Object.fromEntries(names.map((name) => [`${name.toUpperCase()}_LATENCY`, '100']))
  const { stdout } = await trio(fine, late).run('plan', '--json')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { ms, workspaces } = lines.at(-1)
  const slowest = Math.max(...workspaces.map((one: { ms: number }) => one.ms))
  expect(slowest).toBeGreaterThanOrEqual(100)
  expect(ms).toBeLessThan(slowest * 1.2 + 100)
  // Each line says whose it is.
  expect(new Set(lines.slice(1, -1).map(({ workspace }) => workspace))).toEqual(new Set(names))
  expect(lines.filter(({ type }) => type === 'version')).toHaveLength(1)
})

describe.concurrent('npm run deploy', () => {
  test('plans all, makes them in order, verifies each, and says what now', async () => {
    const { run, there } = trio(fine)
    const first = await run('deploy', '--yes')
    expect([first.code, table(first)], first.stderr).toEqual([
      0,
      [
        'left | deployed | 1 made | 1 passed',
        'middle | deployed | 1 made | 1 passed | ~$5',
        'right | deployed | 1 made | 1 passed',
      ],
    ])
    expect(names.map(there)).toEqual([['left'], ['middle'], ['right']])
    // Shown before, so not again.
    expect(first.stdout.match(/left: 1 to create/g)).toHaveLength(1)
    expect(first.stderr).toContain('read what is left')
    const history = await run('history')
    expect(history.stdout).toMatch(/^when +workspace +command.*\n20.* left +deploy +ok +1 .*\n.* middle .*\n.* right /)
    expect(JSON.parse((await run('history', '--json')).stdout)[0]).toMatchObject({
      by: expect.stringMatching(/@.* pid /),
    })
    const again = await run('deploy')
    expect([again.code, table(again).map((row) => row.replace(/ \|.*? \|/, ':'))]).toEqual([
      0,
      ['left: none', 'middle: none | ~$5', 'right: none'],
    ])
  })

  test('where nobody can be asked: nothing is changed, and the flag is named', async () => {
    const { run, there } = trio(fine)
    const ran = await run('deploy')
    expect(ran.code).toBe(64)
    expect(ran.stderr).toMatch(/there is no terminal to confirm on.*\n.*--yes/)
    expect(table(ran)[0]).toBe('left | planned | +1 (1 restart)')
    expect(names.map(there)).toEqual([[], [], []])
  })

  test('one that fails keeps back what needs it, and nothing else', async () => {
    const { run, there } = trio({ ...fine, middle: 'fail' })
    const ran = await run('deploy', '--yes')
    expect([ran.code, table(ran)]).toEqual([
      1,
      [
        'left | deployed | 1 made | 1 passed',
        'middle | failed (exit 1) | 1 made | ~$5',
        'right | skipped: middle failed',
      ],
    ])
    expect(there('right')).toEqual([])
  })

  test('one that cannot be planned keeps back what needs it, and nothing else', async () => {
    const { run, there } = trio({ ...fine, middle: 'unreachable' })
    const ran = await run('deploy', '--yes')
    expect([ran.code, table(ran)[2]]).toEqual([4, 'right | skipped: middle failed'])
    expect(names.map(there)).toEqual([['left'], [], []])
  })

  test('options of one workspace reach it alone, and one that none knows is refused', async () => {
    const { run } = trio(fine)
    const [extra, strange] = await Promise.all([run('plan', '--extra'), run('plan', '--extr')])
    expect(extra.code, extra.stderr).toBe(0)
    expect([strange.code, strange.stderr]).toEqual([64, expect.stringContaining('Did you mean --extra?')])
  })
})

describe.concurrent('one plan of all', () => {
  test('is saved, shown, and deployed without a question', async () => {
    const { root, run, there } = trio({ left: 'none', right: 'none' })
    const [file, page] = [join(root, 'all.plan'), join(root, 'plan.html')]
    const plan = await run('plan', '--out', file, '--html', page)
    expect([plan.code, plan.stderr]).toEqual([0, expect.stringContaining(`saved: npm run deploy -- --plan ${file}`)])
    const html = readFileSync(page, 'utf8')
    for (const text of ['<h2>left</h2>', '<h2>right</h2>', 'note left', 'not configured, skipped'])
      expect(html).toContain(text)

    const shown = await run('show', file)
    expect([shown.code, shown.stderr]).toEqual([0, ''])
    expect(shown.stdout).toMatch(/── left, planned 20.*\n\nnotes\n {2}\+ {2}note left {2}\(restart\) {2}\(1 line\)/)
    expect((await run('show', file, '--diff')).stdout).toContain('       +right')
    expect(JSON.parse((await run('show', file, '--json')).stdout).plans).toHaveLength(2)

    const ran = await run('deploy', '--plan', file)
    expect([ran.code, names.map(there)], ran.stderr).toEqual([0, [['left'], [], ['right']]])
    expect(await run('deploy', '--plan', file)).toMatchObject({ code: 6 })
  })

  test('is made whole or not at all, once the facts have changed', async () => {
    const { root, run, there } = trio(fine)
    const file = join(root, 'all.plan')
    await run('plan', '--out', file)
    writeFileSync(join(root, 'right/right'), 'somebody was here')
    const ran = await run('deploy', '--plan', file)
    expect([ran.code, ran.stderr]).toEqual([
      6,
      expect.stringContaining('nothing was deployed: either all reviewed plans are applied or none'),
    ])
    expect([there('left'), there('middle')]).toEqual([[], []])
  })

  test('does not cover what an earlier workspace brought to light: data that nobody was told of is kept', async () => {
    const { root, there } = trio({ middle: 'none', right: 'surprise' })
    const shared = { RIGHT_FOLDER: join(root, 'middle') }
    const file = join(root, 'all.plan')
    const also = (...args: string[]) => startTrio({ env: { ...bare(), INFRA_ROOT: root, ...shared } }, args).ended
    expect((await also('plan', '--out', file)).code).toBe(0)
    const ran = await also('deploy', '--plan', file)
    expect([ran.code, table(ran).at(-1)]).toEqual([6, expect.stringMatching(/^right \| stale \(exit 6\)/)])
    expect(there('middle')).toEqual(['middle'])
  })

  test('is not saved where one could not be planned, and a bad place is told before anything is asked', async () => {
    const { root, run } = trio({ ...fine, middle: 'unreachable' })
    const file = join(root, 'all.plan')
    const [ran, bad] = await Promise.all([run('plan', '--out', file), run('plan', '--out', join(root, 'no/all.plan'))])
    expect([ran.stderr, existsSync(file)]).toEqual([expect.stringMatching(/not saved to .*no plan of middle/), false])
    expect([bad.code, bad.stderr, bad.stdout]).toEqual([1, expect.stringContaining('cannot save to'), ''])
  })
})

describe.concurrent('status, verify and destroy of all', () => {
  test('status is told in order, and as JSON by workspace', async () => {
    const { run } = trio({ left: 'none', right: 'none' })
    const [text, json] = await Promise.all([run('status'), run('status', '--json')])
    expect(text.stdout).toBe("left is at left's place\nright is at right's place\n")
    expect(JSON.parse(json.stdout)).toEqual({
      left: { name: 'left', target: "left's place" },
      right: { name: 'right', target: "right's place" },
    })
  })

  test('history: of this checkout, and by --there what each target keeps', async () => {
    const { run } = trio({ left: 'none' })
    const [here, there, wrong] = await Promise.all([run('history'), run('history', '--there'), run('plan', '--there')])
    expect([here.code, here.stdout]).toEqual([0, 'nothing was deployed from this checkout yet\n'])
    expect([there.code, there.stdout]).toEqual([0, 'nothing was deployed there yet\n'])
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('It belongs to: history')])
  })

  test('verify: the checks of each, and one report', async () => {
    const { root, run } = trio({ ...fine, right: 'unreachable' })
    mkdirSync(join(root, 'left'), { recursive: true })
    writeFileSync(join(root, 'left/left'), 'left\n')
    const junit = join(root, 'junit.xml')
    const ran = await run('verify', '--junit', junit)
    expect([ran.code, table(ran)]).toEqual([
      4,
      [
        'left | verified | 1 passed',
        'middle | verify failed (exit 3) | 0 passed, 1 failed',
        'right | unreachable (exit 4)',
      ],
    ])
    const suites = [
      ...readFileSync(junit, 'utf8').matchAll(/<testsuite name="(.*?)" tests="1" failures="(\d)" errors="(\d)"/g),
    ]
    expect(suites.map(([, ...values]) => values.join(' '))).toEqual([
      'left verify 0 0',
      'middle verify 1 0',
      'right verify 0 1',
    ])
    expect((await run('verify', '--only', 'left')).stdout).toContain('1 passed')
    expect(await run('verify', '--only', 'nobody')).toMatchObject({ code: 64 })
  })

  test('destroy goes backwards, and leaves alone what has none', async () => {
    const { run, there } = trio(fine)
    await run('deploy', '--yes', '--skip-verification')
    const asked = await run('destroy')
    expect([asked.code, names.map(there)]).toEqual([64, [['left'], ['middle'], ['right']]])
    const ran = await run('destroy', '--yes')
    expect([ran.code, table(ran)]).toEqual([
      0,
      ['left | has no destroy, skipped', 'middle | destroyed | 1 made', 'right | destroyed | 1 made'],
    ])
    expect([...ran.stderr.matchAll(/^── (\w+)$/gm)].map(([, name]) => name)).toEqual([
      'right',
      'middle',
      'right',
      'middle',
    ])
    expect(names.map(there)).toEqual([['left'], [], []])
  })
})
