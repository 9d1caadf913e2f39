import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { onAws, onCluster, onHost, towardsHost } from '../../lab/page-lines.ts'
import { run } from '../../lab/run.ts'
import { runbookLines } from '../../lab/runbook-lines.ts'
import { clusterCommands, podCommands } from './original-commands.ts'
import { elsewhere, endOf, inScratch, mentions, runs, scriptOf, tools } from './page-commands.ts'
import { podEnvironment, productPrograms, Scratch } from './page-runs.ts'
import { codeSpans, pages, root, textOf } from './pages.ts'
import { shellBlocks, wordsOf } from './shell-blocks.ts'

const fenced = new Set(
  pages
    .flatMap((page) => shellBlocks(textOf(page)).flat())
    .flatMap(({ text, commands }) => [text, ...commands.map((command) => wordsOf(command).join(' '))]),
)
/** Code within sentences and tables that has the shape of a command; the changelog and decisions name old ones. */
const spans = [...new Set(pages.filter((page) => !/CHANGELOG|decisions/.test(page)).flatMap(codeSpans))].filter(
  (text) => /^(?:\w+=\S* |\$\(|ExecStart=)*[a-z.~/][\w./~-]* /.test(text) || Object.hasOwn(onHost, text),
)

/** What nobody types any more, of the originals. */
const replaced = [...podCommands, ...clusterCommands].filter(({ now }) => now !== 'verbatim').map(({ typed }) => typed)
const linesOfLab: Readonly<Record<string, object>> = {
  'tests/lab/pod-commands.test.ts': { ...onHost, ...towardsHost },
  'tests/lab/cluster-deploy.test.ts': onCluster,
  'tests/lab/cluster-commands.test.ts': onAws,
}
const inLab = Object.values(linesOfLab).flatMap(Object.keys)
/** Lines of kubectl for Stoat, each with its answer. */
const operators = readFileSync(join(root, 'tests/lab/stoat/operator-tests.ts'), 'utf8')

/** The words of a span as they are typed: words in capitals stand for something, brackets for what may be left out. */
function typedAs(text: string): string {
  const service = text.includes('-w pod') ? 'synapse' : text.includes('-w stoat') ? 'api' : 'redis'
  const plain = text.replace(/^ExecStart=/, '').replace(/^\$\(.*\)$/, ': $&')
  const words = { SERVICE: service, USERNAME: 'ana', FOLDER: '~/backups/', F: 'all.plan' }
  const filled = plain.replace(/ -- \[[^\]]*\]/, '').replace(/\b[A-Z]+\b(?=$| )/g, (word) => {
    return Object.entries(words).find(([name]) => name === word)?.[1] ?? word
  })
  return filled.replace(/(restore -w \w+ --) FILE/, '$1 ~/backups/FILE').replace('show -- FILE', 'show -- all.plan')
}

const ofNpm = spans.filter((text) => /(^|=|\(| )npm (-s )?run /.test(text) && !inLab.includes(text))
const ofProduct = ofNpm.filter(
  (text) => !fenced.has(text) && runs[scriptOf(typedAs(text).replace(/^: \$\(/, '')) ?? ''],
)

test('of every command in a sentence or a table it is known where it is run', () => {
  expect(ofProduct.length).toBeGreaterThan(75)
  const known = [...fenced, ...replaced, ...ofProduct, ...inLab]
  known.push(...[mentions, elsewhere, inScratch].flatMap((list) => Object.keys(list)))
  const ofTools = (text: string) => text.split(' && ').every((part) => tools[wordsOf(part).join(' ')] !== undefined)
  const ofFiles = (text: string) =>
    text.startsWith('npx vitest run ') && existsSync(join(root, text.split(' ')[3] ?? ''))
  const begins = Object.values(runbookLines)
  const unknown = spans.filter(
    (text) =>
      ![known.includes(text), ofTools(text), ofFiles(text), /^export [A-Z_]+=/.test(text)].includes(true) &&
      !operators.includes(`'${text}'`) &&
      !begins.some((one) => text.startsWith(one)),
  )
  expect(unknown).toEqual([])
})

test('so it is of the lines of blocks for programs of others', () => {
  const lines = pages.flatMap((page) => shellBlocks(textOf(page)).flat())
  const isOfLab = (text: string) => /^(kubectl|aws|curl|openssl)$/.test(wordsOf(text)[0] ?? '')
  const ofLab = lines.filter(({ commands }) => commands.some(isOfLab))
  expect(ofLab.length).toBeGreaterThan(15)
  const unknown = ofLab.filter(
    ({ text, commands }) => ![[text], commands.filter(isOfLab)].some((all) => all.every((one) => inLab.includes(one))),
  )
  expect(unknown.map(({ text }) => text)).toEqual([])
})

test('the lists name no line that no page has', () => {
  const listed = [...inLab, ...[mentions, elsewhere, inScratch].flatMap((list) => Object.keys(list))]
  expect(listed.filter((line) => !spans.includes(line) && !fenced.has(line))).toEqual([])
})

test('what is not run here is run where the lists say', () => {
  const missing = Object.entries(elsewhere).filter(
    ([, { file, has }]) => !readFileSync(join(root, file), 'utf8').includes(has),
  )
  expect(missing).toEqual([])
  for (const file of Object.keys(linesOfLab)) expect(readFileSync(join(root, file), 'utf8')).toContain('page-lines.ts')
})

let programs: string
beforeAll(async () => {
  programs = await productPrograms()
})
const scratch = () => new Scratch(programs, podEnvironment('http://127.0.0.1:2'))

test.concurrent.each(ofProduct)('%s', async (text) => {
  const place = scratch()
  const line = typedAs(text)
  if (line.includes('all.plan') && !line.includes('--out')) await place.run('npm run plan -- --offline --out all.plan')
  const called = scriptOf(line.replace(/^: \$\(/, '')) ?? ''
  const { calls, said } = await place.run(line, runs[called]?.adds)
  expect(calls, said).toEqual([`${called} ${endOf(called, line)}`])
})

test.each(Object.entries(inScratch))('%s', async (line, { ends = 0, before = ':' }) => {
  const place = scratch()
  await place.run(before)
  const { code, said } = await place.run(line)
  expect(code, said).toBe(ends)
})

test('a script alone, as its page has it', async () => {
  const place = scratch()
  const { code, said } = await place.run(`cd '${root}'; node run.mjs pod/scripts/30-postgresql.ts --check`)
  expect(code, said).toBe(4)
})

test('Turborepo takes its lines, and has a task of each workspace', async () => {
  for (const words of [
    ['npx', 'turbo', 'run'],
    ['npm', 'run', 'turbo', '--'],
  ]) {
    const [program = '', ...args] = [...words, 'deploy', '--dry=json', '--', '--yes']
    const { code, stdout, stderr } = await run(program, args, { cwd: root, env: { TURBO_TELEMETRY_DISABLED: '1' } })
    expect(code, stderr).toBe(0)
    for (const name of ['pod', 'cluster', 'stoat']) expect(stdout).toContain(`"taskId": "${name}#deploy"`)
  }
})
