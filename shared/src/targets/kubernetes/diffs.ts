import { keepingTemplates, readTemplates, templatesLine } from '../../command/claim-templates.ts'
import { type Command, type Output, plainText, revealText } from '../../command/command.ts'
import { diffLine, joinManifests, type KubeObject } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'

export type Call = (command: Command) => Promise<Output>

export const isDiff = ({ line }: Command): boolean => line === diffLine.line

/**
 * Answers the questions about manifests of a whole run by one `kubectl diff`: a process and a look at the API for each
 * would cost more than all their objects. Where something stops it, they are asked one by one, so that each has the
 * error of its own.
 */
export async function diffAll(questions: readonly Command[], call: Call): Promise<readonly Output[]> {
  const [only] = questions
  if (!only) return []
  if (questions.length > 1) {
    const output = await diffKept(questions, call)
    if (output.code <= 1) return questions.map((question, index) => partOf(question, output, index === 0))
  }
  return Promise.all(questions.map((question) => diffOne(question, call)))
}

/**
 * One question by itself. The API server does not judge an object whose namespace is not there: those are left out, and
 * the answer's stderr says so.
 */
export async function diffOne(question: Command, call: Call): Promise<Output> {
  let command = question
  let told = ''
  for (;;) {
    const output = await diffKept([command], call)
    const missing = output.stderr.match(/namespaces "([^"]+)" not found/)
    if (output.code <= 1 || !missing) return { ...output, stderr: told + output.stderr }
    told += `${missing[0]}\n`
    const items = itemsOf(command)
    const rest = items.filter(({ metadata }) => metadata.namespace !== missing[1])
    if (rest.length === items.length) return output
    if (rest.length === 0) return { code: 1, stdout: '', stderr: told }
    command = withItems(command, rest)
  }
}

/**
 * One `kubectl diff` of these questions. The API server refuses a StatefulSet with other claim templates than it has:
 * those are looked up, the answer's stderr tells them, and where they make the same volumes it is asked with them.
 */
export async function diffKept(questions: readonly Command[], call: Call): Promise<Output> {
  let asked = questions
  let told = ''
  const known = new Set<string>()
  for (;;) {
    const texts = asked.flatMap(({ stdin }) => (stdin ? [stdin] : []))
    const output = await call({ line: diffLine.line, stdin: joinManifests(texts) })
    const name = output.code > 1 ? output.stderr.match(/The StatefulSet "([^"]+)" is invalid/)?.[1] : undefined
    const set = name === undefined || known.has(name) ? undefined : findSet(asked, name)
    const answer = { ...output, stderr: told + output.stderr }
    if (!name || !set) return answer
    known.add(name)
    const namespace = set.metadata.namespace ?? 'default'
    const line = sh`kubectl get statefulset ${name} -n ${namespace} --ignore-not-found -o ${'jsonpath={.spec.volumeClaimTemplates}'}`
    const found = await call(line)
    // What it is refused for is then told as the API server says it.
    if (found.code !== 0 || found.stdout.trim() === '') return answer
    told += templatesLine(namespace, name, found.stdout.trim())
    const kept = keepingTemplates(set, readTemplates(told).get(`${namespace}/${name}`) ?? [])
    if (kept === set) return { ...output, stderr: told + output.stderr }
    asked = asked.map((question) => {
      const items = itemsOf(question)
      const at = items.findIndex(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name)
      return at < 0 ? question : withItems(question, items.with(at, kept))
    })
  }
}

const findSet = (questions: readonly Command[], name: string): KubeObject | undefined =>
  questions.flatMap(itemsOf).find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name)

/** What an answer for many says of the objects of one question; what it says of no object is told by the first alone. */
export function partOf(question: Command, { stdout, stderr }: Output, first: boolean): Output {
  const files = new Set(itemsOf(question).map(fileOf))
  const mine = blocksOf(stdout).filter(({ file }) => files.has(file))
  const told = first ? stderr : stderr.replace(/^Warning: .*\n?/gm, '')
  return { code: mine.length > 0 ? 1 : 0, stdout: mine.map(({ text }) => text).join(''), stderr: told }
}

/** The answer cut at its `diff …` lines: every line of a content begins with a sign. */
function blocksOf(stdout: string): { file: string; text: string }[] {
  return stdout
    .split(/^(?=diff )/m)
    .filter((text) => text.startsWith('diff '))
    .map((text) => ({ file: text.slice(0, text.indexOf('\n')).split('/').at(-1) ?? '', text }))
}

// As kubectl names them: apps.v1.Deployment.discord-bot.redis
function fileOf({ apiVersion, kind, metadata }: KubeObject): string {
  return [apiVersion.replace('/', '.'), kind, metadata.namespace ?? '', metadata.name].join('.')
}

/** The objects of a question. */
export function itemsOf({ stdin }: Command): readonly KubeObject[] {
  return stdin ? (JSON.parse(revealText(stdin)) as { items: KubeObject[] }).items : []
}

/** The same question about other objects. */
export const withItems = ({ line }: Command, items: readonly KubeObject[]): Command => ({
  line,
  stdin: plainText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items })),
})
