import { isSecret, reveal, type Secret } from '../command/secret.ts'

/** The secrets among values as they were set, in the clear: for who hides them. */
export const secretTexts = (values: Readonly<Record<string, string | Secret>>): string[] =>
  Object.values(values).flatMap((value) => (isSecret(value) ? [reveal(value)] : []))
