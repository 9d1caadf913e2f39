import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { costOf } from '@infra/shared/engine/cost'
import { changes, create } from '@infra/shared/engine/step'
import { savePlanPage } from '@infra/shared/report/page'
import { viewOf } from '@infra/shared/report/plan-view'
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireLab, title } from '../../lab/prerequisites.ts'
import { type BrowserPage, openPage } from '../../support/chromium.ts'
import { runAtRoot } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { everything, planned } from './plans.ts'

const password = 'sentinel&<of>"a\'page'
const hostile = `<img src=x onerror="document.title='gone'"> & </pre></details> ${password}`

/** A page of two workspaces: one of everything that a plan can say, one of what strangers said. */
function hostilePage(): string {
  secret(password)
  const path = join(tempFolder(), 'plan.html')
  const diff = {
    kind: 'text',
    path: `/etc/${'long/'.repeat(60)}`,
    before: '',
    after: `${'wide '.repeat(100)}\n${hostile}\n`,
  } as const
  const plan = {
    steps: [planned(hostile, changes([create(`${'x'.repeat(200)} ${hostile}`, raw('true'), { diff })], ''))],
  }
  const graph = {
    name: 'pod',
    scripts: [{ name: 'base', about: hostile, steps: [{ id: 'a'.repeat(120), dependsOn: [] }] }],
  }
  savePlanPage(path, {
    made: new Date(0),
    plans: [
      { workspace: 'pod', view: viewOf(everything), graph },
      {
        workspace: hostile,
        view: viewOf(plan),
        graph: { ...graph, name: 'other' },
        cost: costOf('2026-11-24', [{ what: hostile, least: 5 }], '~$5'),
      },
    ],
    results: [
      { workspace: 'pod', result: hostile, changes: { create: 1 } },
      { workspace: 'stoat', result: 'skipped' },
    ],
  })
  return path
}

test('a page of a plan has no secret, no script, nothing from elsewhere, and its owner only may read it', () => {
  const path = hostilePage()
  const html = readFileSync(path, 'utf8')
  const forbidden = /.{0,80}(?:sentinel|<script|<img|(?:src|href)=["']?https?:).{0,40}/g
  expect(html.match(forbidden) ?? []).toEqual([])
  expect(html).toContain("default-src 'none'")
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

const skip = requireLab('chromium')

describe.skipIf(skip)(title('a page of a plan, in Chromium', skip), () => {
  const real = join(tempFolder(), 'plan.html')
  const pages: [string, BrowserPage][] = []
  const each = async (look: (page: BrowserPage, name: string) => Promise<void>) => {
    for (const [name, page] of pages) await look(page, name)
  }

  beforeAll(async () => {
    // That of the three workspaces, as a newcomer gets it.
    const { code, stderr } = await runAtRoot('plan', ['--offline', '--html', real], { root: tempFolder() })
    expect(code, stderr).toBe(0)
    for (const path of [hostilePage(), real])
      pages.push([path === real ? 'the real one' : 'the hostile one', await openPage(path)])
  })
  afterAll(() => Promise.all(pages.map(([, page]) => page.close())))

  test('is no wider than a phone, folded or not', () =>
    each(async (page, name) => {
      await page.send('Emulation.setDeviceMetricsOverride', {
        width: 390,
        height: 844,
        deviceScaleFactor: 2,
        mobile: true,
      })
      for (const open of [false, true]) {
        await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = ${open} })`)
        expect(await page.evaluate('[innerWidth, document.documentElement.scrollWidth]'), name).toEqual([390, 390])
      }
    }))

  test('has every change and every step in its text, and needs no JavaScript for it', () =>
    each(async (page, name) => {
      const [text, scripts, heading] = (await page.evaluate(
        "[document.body.textContent, document.scripts.length, document.querySelector('h1').textContent]",
      )) as [string, number, string]
      expect(scripts).toBe(0)
      const handlers =
        "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on'))"
      expect(await page.evaluate(handlers)).toEqual([])
      expect(heading).toContain('Plan of pod')
      const wanted =
        name === 'the real one'
          ? realTexts()
          : ['user valence', 'table old', 'data loss', '-two', 'it cannot shrink', '<img src=x']
      for (const one of wanted) expect(text, one).toContain(one)
    }))

  test.each(['light', 'dark'])('has nothing that axe objects to, in %s', (value) =>
    each(async (page, name) => {
      await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
      await page.evaluate(`${axe.source}; 0`)
      const found = await page.evaluate(
        'axe.run(document, { resultTypes: ["violations"] }).then(({ violations, passes }) => ({ passed: passes.length, violations: violations.map(({ id, nodes }) => id + " " + nodes.map((node) => node.target + ": " + node.failureSummary).slice(0, 3).join("; ")) }))',
      )
      expect(found, name).toEqual({ passed: expect.any(Number), violations: [] })
      expect((found as { passed: number }).passed).toBeGreaterThan(10)
    }),
  )
})

/** What the plans of the three workspaces say, by their texts. */
const realTexts = (): string[] =>
  ['pod', 'cluster', 'stoat'].flatMap((name) => {
    const text = readFileSync(join(import.meta.dirname, `../../plans/${name}-plan.txt`), 'utf8')
    return [...text.matchAll(/^ {2}[+~-][? ] (.*?)(?: {2}\(.*)?$/gm)].map(([, say = '']) => say)
  })
