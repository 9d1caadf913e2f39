import { type Schema, variablesOf } from './variable.ts'

const start = '# Taken over from Terraform:'

/** The comment of a file that was taken over: what is deployed has keys of its own, which nothing here may replace. */
export const takenOverLine = (command: string): string =>
  `${start} ${command} reads the keys and passwords that are not set here. --generate makes none while this line is here.`

/** The number of that comment's line; undefined in a file that has none. */
export function takenOverAt(text: string): number | undefined {
  const at = text.split('\n').findIndex((line) => line.startsWith(start))
  return at < 0 ? undefined : at + 1
}

/** The variables of a schema that a command of its workspace reads from what another tool deployed, and that command. */
export function adoptedOf(schema: Schema): { readonly names: readonly string[]; readonly command: string } | undefined {
  const adopted = variablesOf(schema).filter(({ meta }) => meta.adoptedBy !== undefined)
  const command = adopted[0]?.meta.adoptedBy
  return command === undefined ? undefined : { names: adopted.map(({ name }) => name), command }
}
