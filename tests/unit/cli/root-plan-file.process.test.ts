import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bare, startTrio } from '../../support/fixture-workspace.ts'
import { tempFolder } from '../../support/temp.ts'

function started() {
  const root = tempFolder()
  mkdirSync(join(root, 'left'))
  return { root, run: (...args: string[]) => startTrio({ env: { ...bare(), INFRA_ROOT: root } }, args).ended }
}

describe.concurrent('a saved plan of all', () => {
  test('is of one environment: the call that deploys it names it, and another one is told', async () => {
    const { root, run } = started()
    const text = `LEFT_FOLDER=${join(root, 'left')}\nLEFT_TROUBLE=none`
    for (const name of ['.env.left', '.env.left.staging']) writeFileSync(join(root, name), text, { mode: 0o600 })
    const file = join(root, 'staging.plan')
    const plan = await run('plan', '--env', 'staging', '--out', file)
    const call = `npm run deploy -- --env staging --plan ${file}`
    expect([plan.code, plan.stderr]).toEqual([0, expect.stringContaining(`saved: ${call}\n`)])
    const ran = await run('deploy', '--plan', file)
    expect([ran.code, ran.stderr]).toEqual([
      64,
      `error: --plan ${file} is a plan of left --env staging; no --env was given\n  ${call}\n`,
    ])
  })

  test('is told apart from what is none', async () => {
    const { root, run } = started()
    writeFileSync(join(root, 'page.md'), '# A page')
    const remedy = '  Make one: npm run plan -- --out FILE'
    for (const [file, why] of [
      ['nowhere.plan', 'nowhere.plan: there is no file of that name'],
      ['page.md', 'page.md is not a saved plan'],
      ['.', ' is a folder, not a saved plan'],
    ] as const) {
      const { code, stderr } = await run('show', join(root, file))
      expect([code, stderr]).toEqual([64, expect.stringContaining(`${why}\n${remedy}`)])
    }
  })
})
