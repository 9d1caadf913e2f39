import { type Command, type Output, plainText, type Text } from '../../command/command.ts'
import { diffLine, type KubeObject } from '../../command/kubectl.ts'
import { type Call, diffAll, diffKept, diffOne, isDiff, itemsOf, partOf, withItems } from './diffs.ts'
import type { Filled } from './open-values.ts'

/** Runs a command; `stdin` is what it reads, where that is known only later. */
export type Ask = (command: Command, stdin?: Promise<Text>) => Promise<Output>

/** The values in manifests that are not known when a question is asked. */
export interface OpenManifests {
  /** Puts them in; or gives a text in place of the command, which is its answer. */
  fill(question: Command): Promise<Filled | string>
  /** Whether there is one in an object. */
  isOpen(object: KubeObject): boolean
}

/**
 * Answers the questions about manifests of a run. What holds open values waits for them, in a process that has started
 * by then; where other objects are asked about too, they are not kept waiting.
 */
export async function askDiffs(questions: readonly Command[], ask: Ask, open: OpenManifests): Promise<Output[]> {
  if (questions.length === 0) return []
  const known = keeping(questions, (object) => !open.isOpen(object))
  const ahead = known.length > 0 && keeping(questions, open.isOpen).length > 0 ? diffKept(known, ask) : undefined
  // Its failure is told where it is waited for.
  ahead?.catch(() => {})
  const { call, drop } = startedDiff(ask)
  try {
    const filled = await Promise.all(questions.map(open.fill))
    const ready = filled.flatMap((command, index) => (typeof command === 'string' ? [] : [{ command, index }]))
    const commands = ready.map(({ command }) => command)
    const rest = ready.flatMap(({ command, index }) => {
      const asked = itemsOf(questions[index] as Command)
      return onlyItems(command, (_, at) => open.isOpen(asked[at] as KubeObject))
    })
    const parts = ahead && [ahead, ...(rest.length > 0 ? [diffKept(rest, call)] : [])]
    const shown = [...(await (parts ? joinDiffs(commands, parts, ask) : diffAll(commands, call)))]
    return filled.map((command) =>
      typeof command === 'string' ? unanswered(command) : telling(shown.shift() as Output, command),
    )
  } finally {
    drop()
  }
}

const telling = (output: Output, { told = '' }: Filled): Output =>
  told === '' ? output : { ...output, stderr: told + output.stderr }

/** The answer to a question that could not be asked. */
export const unanswered = (stderr: string): Output => ({ code: 2, stdout: '', stderr })

/** Deals out what two processes found. Where something stopped one, all are asked one by one, whole. */
async function joinDiffs(questions: readonly Command[], parts: readonly Promise<Output>[], ask: Ask) {
  const found = await Promise.all(parts)
  const code = Math.max(...found.map((output) => output.code))
  if (code > 1) return Promise.all(questions.map((question) => diffOne(question, ask)))
  const whole = { code, stdout: textOf(found, 'stdout'), stderr: textOf(found, 'stderr') }
  return questions.map((question, index) => partOf(question, whole, index === 0))
}

const textOf = (outputs: readonly Output[], stream: 'stdout' | 'stderr') =>
  outputs.map((output) => output[stream]).join('')

const keeping = (questions: readonly Command[], holds: (object: KubeObject) => boolean): Command[] =>
  questions.flatMap((question) => onlyItems(question, holds))

/** The question about some of its objects alone; none where there are none. */
function onlyItems(question: Command, holds: (object: KubeObject, at: number) => boolean): Command[] {
  const kept = itemsOf(question).filter(holds)
  return kept.length === 0 ? [] : [withItems(question, kept)]
}

/**
 * Starts a `kubectl diff` before its manifests are known, since it takes its time to. The first that is then called for is
 * carried out by it; `drop` ends it if none was.
 */
export function startedDiff(ask: (command: Command, stdin?: Promise<Text>) => Promise<Output>): {
  readonly call: Call
  drop(): void
} {
  let send: (text: Text) => void = () => {}
  const stdin = new Promise<Text>((resolve) => {
    send = resolve
  })
  const started = ask({ line: diffLine.line }, stdin)
  // That nothing was sent to it, or that there is no way to the cluster, is told by others.
  started.catch(() => {})
  let taken = false
  return {
    call(command) {
      if (taken || !isDiff(command)) return ask(command)
      taken = true
      send(command.stdin ?? plainText(''))
      return started
    },
    drop: () => send(plainText('')),
  }
}
