import { z } from 'zod'
import { asWeak, type Secret, secret } from '../command/secret.ts'

/** What a parser says: the value (with why it should be another one, where it is a weak secret), or what is wrong with the text (never quoting a secret) and how to mend it. */
export type Verdict<T> =
  | { readonly value: T; readonly weak?: string }
  | { readonly wrong: string; readonly remedy?: string }

export type Parser<T> = (text: string) => Verdict<T>

export type Parsed<T> = z.ZodPipe<z.ZodString, z.ZodTransform<T, string>>

/** The zod type of a parser. A remedy travels in the issue's `params`. */
export function parsed<T>(parse: Parser<T>): Parsed<T> {
  return z.string().transform((text, context) => {
    const verdict = parse(text)
    if ('value' in verdict) return verdict.value
    context.addIssue({
      code: 'custom',
      message: verdict.wrong,
      ...(verdict.remedy === undefined ? {} : { params: { remedy: verdict.remedy } }),
    })
    return z.NEVER
  })
}

/** A parser whose value is a secret. */
export function hidden(parse: Parser<string>): Parsed<Secret> {
  return parsed((text) => {
    const verdict = parse(text)
    if (!('value' in verdict)) return verdict
    const value = secret(verdict.value)
    return { value: verdict.weak === undefined ? value : asWeak(value, verdict.weak) }
  })
}
