import { type Command, type Output, plainText, revealText } from '../../command/command.ts'
import { diffLine, joinManifests } from '../../command/kubectl.ts'

type Call = (command: Command) => Promise<Output>

interface Item {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

export const isDiff = ({ line }: Command): boolean => line === diffLine.line

/**
 * Answers the questions about manifests of a whole run by one `kubectl diff`: a process and a look at the API for each
 * would cost more than all their objects. Where something stops it, they are asked one by one, so that each has the
 * error of its own.
 */
export async function diffAll(questions: readonly Command[], call: Call): Promise<readonly Output[]> {
  const texts = questions.flatMap(({ stdin }) => (stdin ? [stdin] : []))
  const [only] = questions
  if (!only) return []
  if (questions.length > 1) {
    const output = await call({ line: diffLine.line, stdin: joinManifests(texts) })
    if (output.code <= 1) return questions.map((question) => partOf(question, output))
  }
  return Promise.all(questions.map((question) => diffOne(question, call)))
}

/**
 * One question by itself. The API server does not judge an object whose namespace is not there: those are left out, and
 * the answer's stderr says so.
 */
async function diffOne(question: Command, call: Call): Promise<Output> {
  let command = question
  let told = ''
  for (;;) {
    const output = await call(command)
    const missing = output.stderr.match(/namespaces "([^"]+)" not found/)
    if (output.code <= 1 || !missing) return { ...output, stderr: told + output.stderr }
    told += `${missing[0]}\n`
    const items = itemsOf(command)
    const rest = items.filter(({ metadata }) => metadata.namespace !== missing[1])
    if (rest.length === items.length) return output
    if (rest.length === 0) return { code: 1, stdout: '', stderr: told }
    command = {
      line: question.line,
      stdin: plainText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rest })),
    }
  }
}

/** What an answer for many says of the objects of one question. */
function partOf(question: Command, { stdout, stderr }: Output): Output {
  const files = new Set(itemsOf(question).map(fileOf))
  const mine = blocksOf(stdout).filter(({ file }) => files.has(file))
  return { code: mine.length > 0 ? 1 : 0, stdout: mine.map(({ text }) => text).join(''), stderr }
}

/** The answer cut at its `diff …` lines: every line of a content begins with a sign. */
function blocksOf(stdout: string): { file: string; text: string }[] {
  return stdout
    .split(/^(?=diff )/m)
    .filter((text) => text.startsWith('diff '))
    .map((text) => ({ file: text.slice(0, text.indexOf('\n')).split('/').at(-1) ?? '', text }))
}

// As kubectl names them: apps.v1.Deployment.discord-bot.redis
function fileOf({ apiVersion, kind, metadata }: Item): string {
  return [apiVersion.replace('/', '.'), kind, metadata.namespace ?? '', metadata.name].join('.')
}

function itemsOf({ stdin }: Command): Item[] {
  return stdin ? (JSON.parse(revealText(stdin)) as { items: Item[] }).items : []
}
