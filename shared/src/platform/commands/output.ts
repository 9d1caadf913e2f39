import { usage } from '../../cli/options.ts'
import { open, type Session } from '../../cli/session.ts'
import { Failure } from '../../engine/failure.ts'
import { nearest } from '../../env/suggest.ts'
import { print, printJson } from '../../report/print.ts'

/** Finds a value out; undefined while what it is of is not there. */
export type FindOutput<C> = (context: C) => Promise<string | undefined> | string | undefined

export type Outputs<C> = Readonly<Record<string, FindOutput<C>>>

/** `output [NAME] [--json]`: one value of a workspace for `$(…)`, or all of them. They are made of `variables`. */
export async function runOutput<C extends { readonly workspace: string }>(
  session: Session,
  outputs: Outputs<C>,
  variables: readonly string[] = [],
): Promise<number> {
  const [name] = session.args
  const find = name === undefined ? undefined : outputs[name]
  if (name !== undefined && !find) {
    const near = nearest(name, Object.keys(outputs), 6)
    const names = Object.keys(outputs).join(', ')
    throw usage(`there is no output ${name}`, `${near ? `Did you mean ${near}? ` : ''}There are: ${names}`)
  }
  const context = open(session, 'access', variables).context as C
  if (name !== undefined && find) {
    const value = await find(context)
    if (value === undefined)
      throw new Failure('error', `${name} is not known yet`, {
        remedy: `npm run deploy -w ${context.workspace} makes what it is of.`,
      })
    if (session.options.json) printJson(value)
    else print(value)
    return 0
  }
  const entries = Object.entries(outputs).map(async ([key, find]) => [key, (await find(context)) ?? null] as const)
  const values = await Promise.all(entries)
  if (session.options.json) printJson(Object.fromEntries(values), 2)
  else print(values.map(([key, value]) => `${key} = ${value ?? '(not there yet)'}`).join('\n'))
  return 0
}
