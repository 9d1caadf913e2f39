import { type Command, isText, plainText, type Text } from '../../command/command.ts'
import { notYet } from '../../command/kubectl.ts'

/** What stands in manifests for something that an earlier step makes. */
export interface OpenValue {
  /** Looks it up; undefined as long as there is none. Nothing is applied without it. */
  find(): Promise<string | undefined>
  /** What questions are asked with until then; without it they stay without an answer. */
  readonly placeholder?: string
  /** What to say where it is needed before there is one, and what makes it. */
  readonly missing?: string
}

/** A command whose values are filled in; `told` is for the stderr of its answer, of those that a placeholder stands for. */
export interface Filled extends Command {
  readonly told?: string
}

/** The command with its open values; or what to say of the first that is not known yet. */
export async function fillValues(
  values: Readonly<Record<string, OpenValue>>,
  command: Command,
  asking: boolean,
): Promise<Filled | string> {
  let stdin = command.stdin
  let told = ''
  const isIn = (name: string) => stdin?.parts.some((part) => typeof part === 'string' && part.includes(name))
  const needed = Object.entries(values).filter(([name]) => isIn(name))
  const found = await Promise.all(needed.map(([, { find }]) => find()))
  for (const [index, [name, { placeholder, missing }]] of needed.entries()) {
    const value = found[index] ?? (asking ? placeholder : undefined)
    if (value === undefined) return missing ?? `${name} is not known yet`
    if (found[index] === undefined && missing !== undefined) told += `${notYet}${missing}\n`
    if (stdin) stdin = replaced(stdin, name, value)
  }
  return stdin === command.stdin ? command : { ...command, told, ...(isText(stdin) && { stdin }) }
}

/** Whether an object holds one of the texts that stand for values. */
export function holdsValue(values: Readonly<Record<string, OpenValue>>, object: unknown): boolean {
  const text = JSON.stringify(object)
  return Object.keys(values).some((name) => text.includes(name))
}

function replaced({ parts }: Text, name: string, value: string): Text {
  const swap = (part: Text['parts'][number]) =>
    typeof part === 'string' ? plainText(part.replaceAll(name, value)).parts : [part]
  return { parts: parts.flatMap(swap) }
}
