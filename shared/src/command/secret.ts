import { inspect } from 'node:util'

const values = new WeakMap<Secret, string>()
const known = new Set<string>()
let longestFirst: readonly string[] = []

/** A value that never shows: every way of printing it gives `[secret]`. Made by {@link secret}. */
export interface Secret {
  readonly [brand]: 'secret'
}
declare const brand: unique symbol

const prototype = {
  toString: () => '[secret]',
  toJSON: () => '[secret]',
  [inspect.custom]: () => '[secret]',
}

/** Wraps a value as a secret, and has {@link redact} hide it (and its usual encodings) from then on. */
export function secret(value: string): Secret {
  const wrapped = Object.freeze(Object.create(prototype)) as Secret
  values.set(wrapped, value)
  remember(value)
  return wrapped
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && values.has(value as Secret)
}

/** The value itself. Only for what sends it (targets), stores it where the user asked, or checks it. */
export function reveal(wrapped: Secret): string {
  const value = values.get(wrapped)
  if (value === undefined) throw new TypeError('reveal: not a secret')
  return value
}

/** A secret derived from secrets, such as a connection URL: the result is a secret as well, of the same variables. */
export function derive(make: (open: (wrapped: Secret) => string) => string): Secret {
  const from = new Set<string>()
  const made = secret(
    make((wrapped) => {
      for (const name of variablesOf(wrapped)) from.add(name)
      return reveal(wrapped)
    }),
  )
  if (from.size > 0) variables.set(made, from)
  return made
}

const variables = new WeakMap<Secret, ReadonlySet<string>>()

/** Notes the variable that a secret is the value of, for whoever reads where it goes. Gives the secret. */
export function ofVariable(wrapped: Secret, name: string): Secret {
  variables.set(wrapped, new Set([...variablesOf(wrapped), name]))
  return wrapped
}

/** The variables that a secret was made of; none where the run made it itself. */
export const variablesOf = (wrapped: Secret): readonly string[] => [...(variables.get(wrapped) ?? [])]

const weaknesses = new WeakMap<Secret, { readonly why: string; readonly remedy?: string | undefined }>()

/**
 * Notes why a secret is easy to guess although it is taken, for whoever may refuse it where it is new, and where it is set what
 * to do about it. Gives the secret.
 */
export function asWeak(wrapped: Secret, why: string, remedy?: string): Secret {
  weaknesses.set(wrapped, { why, remedy })
  return wrapped
}

/** Why a secret is easy to guess; undefined where it is not, or its owner chose not to have it judged. */
export const weaknessOf = (wrapped: Secret): string | undefined => weaknesses.get(wrapped)?.why

/** How to replace a weak secret in the file that sets it; undefined where that is not known. */
export const weakRemedyOf = (wrapped: Secret): string | undefined => weaknesses.get(wrapped)?.remedy

// Below this a value is too common a text to be replaced everywhere without harm ("a", "no").
const shortest = 6

const remembered = new Set<string>()

function remember(value: string): void {
  if (value.length < shortest || remembered.has(value)) return
  remembered.add(value)
  for (const text of [value, ...base64Forms(value), ...urlForms(value), ...quotedForms(value)]) known.add(text)
  // A secret of several lines (a private key) is hidden line by line too: streams are read by the line.
  if (value.includes('\n')) for (const line of value.split('\n')) if (line.trim().length >= 12) known.add(line.trim())
  longestFirst = [...known].sort((a, b) => b.length - a.length)
}

/** By itself, and in the middle of more (`user:PASSWORD`): there its first and last character depend on what is around. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const whole = bytes.toString('base64')
  const within = [0, 1, 2].map((before) => {
    const bits = (before + bytes.length) * 8
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
  })
  const forms = [whole, whole.replace(/=+$/, ''), ...within.filter((form) => form.length >= shortest)]
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

function urlForms(value: string): string[] {
  const url = encodeURIComponent(Buffer.from(value).toString())
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  return [url, strict, lower(url), lower(strict), url.replaceAll('%20', '+'), strict.replaceAll('%20', '+')]
}

/** As JSON (once, in a string of JSON, and by Go), SQL, YAML, XML and shells write it. */
function quotedForms(value: string): string[] {
  const json = (text: string) => JSON.stringify(text).slice(1, -1)
  const once = json(value)
  return [
    ...[once, json(once)],
    once.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
    value.replaceAll("'", "''"),
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", `'"'"'`),
    value.replace(/["\\$`]/g, '\\$&'),
    value.replace(/[^\w@%+=:,./-]/g, '\\$&'),
    ...['&quot;', '&#34;'].map((mark) =>
      value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', mark),
    ),
  ]
}

/** The last line of defence: replaces every known secret in a text that came from outside, by `[secret]`. */
export function redact(text: string): string {
  let clean = text
  // The longest first: where one secret begins with another, nothing of the longer may be left over.
  for (const value of longestFirst) if (clean.includes(value)) clean = clean.replaceAll(value, '[secret]')
  return clean
}

/** The start of a text from outside, of so many characters: redacted first, since half a secret is not known as one. */
export const excerpt = (text: string, length: number): string => redact(text).slice(0, length)

// By the name before it, by the place in a URL or a header, by its form.
const lookalikes: readonly [RegExp, string][] = [
  [
    // NOPASSWD is a word of sudoers, and what follows it a command.
    /((?:(?<!\bno)passwo?r?d|passphrase|secret|token|credential|(?:api|access|private|secret|auth)[_-]?key)["']?\s*[=:]\s*)\S.*/gi,
    '$1[not shown]',
  ],
  [/(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g, '$1[not shown]'],
  [/\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi, '$1[not shown]'],
  [/\b(?:sk-|gh[pousr]_|github_pat_|glpat-|dop_v1_|xox[abp]-|AKIA)[\w-]{12,}/g, '[not shown]'],
  [/(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?=-----END|$)/g, '$1\n[not shown]\n'],
]

/** A text that somebody else wrote, without what looks like their secret: {@link redact} knows ours alone. */
export function withoutLookalikes(text: string): string {
  return lookalikes.reduce((clean, [pattern, mask]) => clean.replaceAll(pattern, mask), text)
}
