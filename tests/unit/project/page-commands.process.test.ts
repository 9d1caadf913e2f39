import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { hostLines, runbookLines } from '../../lab/runbook-lines.ts'
import { endOf, others, runs, scriptOf, tools } from './page-commands.ts'
import { podEnvironment, productPrograms, Scratch } from './page-runs.ts'
import { codeSpans, npmCalls, pages, root, textOf } from './pages.ts'
import { type ShellLine, shellBlocks, shellLines, wordsOf } from './shell-blocks.ts'

/** The steps of the jobs that docs/ci.md shows: of a whole workflow, or of a list of steps. */
interface CiStep {
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}
interface Workflow {
  readonly jobs?: Readonly<Record<string, { readonly env: Readonly<Record<string, string>>; readonly steps: CiStep[] }>>
}
const ciBlocks = [...textOf('docs/ci.md').matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
  ([, text = '']) => parse(text) as Workflow | CiStep[],
)
const ciJobs = ciBlocks.flatMap((block) => (Array.isArray(block) ? [] : Object.values(block.jobs ?? {})))
const ciSteps = [
  ...ciJobs.flatMap(({ steps }) => steps),
  ...ciBlocks.flatMap((block) => (Array.isArray(block) ? block : [])),
]
const ciLines = ciSteps.flatMap(({ run }) => (run === undefined ? [] : shellLines(run)))

const blocks = pages.flatMap((page) => shellBlocks(textOf(page)).map((lines) => ({ page, lines })))
const all: readonly ShellLine[] = [...blocks.flatMap(({ lines }) => lines), ...ciLines]
const commands = all.flatMap((line) => line.commands)

/** How a command of a page is tried; undefined for one of which nothing is known. */
function triedBy(command: string): unknown {
  const words = wordsOf(command)
  if (words[0] === 'npm') return runs[scriptOf(command) ?? ''] ?? tools[words.join(' ')]
  if (words[0] === 'npx') return words.slice(1, 3).join(' ') === 'vitest run' || undefined
  return others[words[0] ?? '']
}

test('of every command of a page it is known how it is tried', () => {
  expect(commands.length).toBeGreaterThan(120)
  expect(commands.filter((command) => triedBy(command) === undefined)).toEqual([])
})

test('the lists name no command that no page has', () => {
  // Those of sentences are tried by sentence-commands.process.test.ts.
  const sentences = pages.flatMap(codeSpans).flatMap((text) => text.replace(/^\w*=|^\$\(|\)$/g, '').split(' && '))
  const named = [...commands, ...sentences].flatMap((command) => [
    scriptOf(command),
    wordsOf(command).join(' '),
    wordsOf(command)[0],
  ])
  const listed = [runs, tools, others].flatMap((list) => Object.keys(list))
  expect(listed.filter((name) => !named.includes(name))).toEqual([])
})

test('every shell block says that it is one', () => {
  const fences = pages.flatMap((page) => [...textOf(page).matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)])
  const plain = fences.filter(([, language]) => language === '').map(([, , text = '']) => text)
  expect(plain.length).toBeGreaterThan(2)
  expect(plain.filter((text) => /^ *(npm|npx|node|sudo|kubectl|aws|cp|git) /m.test(text))).toEqual([])
})

test('what is not run to its end here is run where the lists say', () => {
  const named = [...Object.values(runs).map(({ proof }) => proof), ...Object.values(tools), ...Object.values(others)]
  const proofs = named.filter((proof) => typeof proof === 'object')
  expect(proofs.filter(({ file, has }) => !readFileSync(join(root, file), 'utf8').includes(has))).toEqual([])
})

test('the lab knows every line of the runbook for the host', () => {
  const begins = Object.values(runbookLines)
  expect(hostLines.filter((line) => begins.filter((one) => line.startsWith(one)).length !== 1)).toEqual([])
  expect(begins.filter((one) => !hostLines.some((line) => line.startsWith(one)))).toEqual([])
  expect(all.filter(({ text }) => text.startsWith('sudo') && !hostLines.includes(text))).toEqual([])
})

test('vitest is given files that there are', () => {
  const files = commands.flatMap((command) => (command.startsWith('npx vitest') ? wordsOf(command).slice(3) : []))
  expect(files.filter((file) => !file.startsWith('-') && !existsSync(join(root, file)))).toEqual([])
})

/** Commands within sentences. Those for npm are parsed as the program does: readme.test.ts. */
const inSentences = pages.flatMap((page) => {
  const found = textOf(page).matchAll(
    /`((?:sudo|kubectl|aws|doctl|systemctl|journalctl|terraform|curl|ssh|age) [^`]+)`/g,
  )
  return [...found].map(([, text = '']) => ({ text: text.replace(/\\\|/g, '|') }))
})

test('every line is one for bash', () => {
  expect(inSentences.length).toBeGreaterThan(60)
  for (const { text } of [...all, ...inSentences]) {
    const { status, stderr } = spawnSync('bash', ['-n', '-c', text], { encoding: 'utf8' })
    expect([status, stderr], text).toEqual([0, ''])
  }
})

// DigitalOcean's API, which lets nobody in.
const api = createServer((_, response) => response.writeHead(401).end('{"id":"Unauthorized","message":"no"}'))
let programs: string
let podLines: string
beforeAll(async () => {
  programs = await productPrograms()
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  podLines = podEnvironment(`http://127.0.0.1:${(api.address() as AddressInfo).port}`)
})
afterAll(() => void api.close())

const isInstalled = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

/** Whether a line is run here: a command of it is the product's, or all work on this machine's files alone. */
const runsHere = ({ commands }: ShellLine) =>
  commands.some((command) => runs[scriptOf(command) ?? '']) ||
  commands.map((command) => wordsOf(command)[0] ?? '').every((one) => others[one] === 'run here' && isInstalled(one))

/** Runs a line, and expects the exit code of each of its calls. */
async function tryLine(scratch: Scratch, line: ShellLine, env: NodeJS.ProcessEnv = {}) {
  const called = line.commands.map(scriptOf).filter((name) => name !== undefined)
  const adds = called.flatMap((name) => runs[name]?.adds ?? []).filter((word) => !line.text.includes(word))
  const ran = await scratch.run(line.text, [...new Set(adds)], env)
  const expected = called.map((name) => `${name} ${endOf(name, line.text)}`)
  expect(ran.calls, ran.said).toEqual(expected)
  if (called.length === 0) expect(ran.code, ran.said).toBe(0)
  return ran
}

/** Fills in what a file lacks or holds as an example: the reader's part. Secrets that were made stay. */
function fillIn(scratch: Scratch, file: string): void {
  const text = scratch.read(file)
  const missing = podLines.split('\n').filter((line) => !/PASSWORD|SECRET/.test(line))
  const names = missing.map((line) => /^export (\w+)=/.exec(line)?.[1])
  const kept = text.split('\n').filter((line) => !names.includes(/^export (\w+)=/.exec(line)?.[1]))
  // Another environment is another host.
  const there = missing.map((line) => line.replace(/^(export VALENCE_POD_IP=).*/, '$1203.0.113.99'))
  scratch.write(file, [...kept.filter((line) => !line.includes('_SSH_PUBKEY_FILE=')), ...there].join('\n'))
}

describe.concurrent.each(blocks.filter(({ lines }) => lines.some(runsHere)))('$page', ({ lines }) => {
  test(`runs: ${lines[0]?.text}`, async () => {
    const scratch = new Scratch(programs, podLines)
    for (const line of lines.filter(runsHere)) {
      const { said } = await tryLine(scratch, line)
      // What it says to type is about the same environment.
      const [words] = /--env \w+/.exec(line.text) ?? []
      for (const { options } of words === undefined ? [] : npmCalls(said.slice(line.text.length)))
        expect(options.join(' '), said).toContain(words)
      const [, name] = /--env (\w+) --generate/.exec(line.text) ?? []
      if (name) fillIn(scratch, `.env.pod.${name}`)
    }
  })
})

test('Terraform is told to forget each resource by its whole name', async () => {
  const scratch = new Scratch(programs)
  const lines = [...all, ...inSentences].map(({ text }) => text).filter((text) => /state list .*state rm/.test(text))
  expect(lines.length).toBe(3)
  for (const line of lines) {
    const { said } = await scratch.run(line)
    // What is of Stoat goes when that is adopted: its key may be in the state alone.
    const name = line.includes('-v stoat') ? 'aws_sqs_queue.events["a b"]' : 'kubernetes_deployment.stoat_api[0]'
    expect(said.split('\n').filter((text) => text.startsWith('rm '))).toEqual([`rm ${name}`])
  }
})

test('the jobs of docs/ci.md run, with the variables that they are given', async () => {
  const scratch = new Scratch(programs)
  const [job] = ciJobs
  const key = scratch.path('pod_key')
  const values = Object.fromEntries(
    [...podLines.matchAll(/^export (\w+)="(.*)"$/gm)].map(([, name, value]) => [name, value]),
  )
  expect(Object.keys(values)).toEqual(
    expect.arrayContaining(Object.keys(job?.env ?? {}).filter((name) => !/SSH/.test(name))),
  )
  const env = {
    ...values,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    VALENCE_SSH_PRIVATE_KEY_FILE: key,
    KEY: scratch.read('home/.ssh/valence_pod').trimEnd(),
  }
  for (const line of ciLines.filter(runsHere)) await tryLine(scratch, line, env)
  expect([scratch.read('pod_key'), scratch.mode('pod_key')]).toEqual([scratch.read('home/.ssh/valence_pod'), 0o600])
  expect(scratch.read('plan.html')).toContain('<html')
  expect(scratch.read('verify.xml')).toContain('<testsuite')
})
