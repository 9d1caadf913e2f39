import type { Secret } from '../command/secret.ts'
import { hidden, type Parsed, type Parser } from './parsed.ts'
import { strengthOf } from './strength.ts'

const words =
  /p[a@]ssw[o0]rds?|p[a@]ss|change[-_ ]?(me|this)|secrets?|admin|letmein|welcome|qwertz?y?(uiop)?|asdf(ghjkl?)?|valence|synapse|matrix|stoat|discord|rabbit(mq)?|minio|postgres(ql)?|default|example|sample|test|root|user|token|my|your|here|insert|replace/gi

/** The least that is taken where it is in force already, and the least of a new one, which messages and pages name. */
const least = 12
const leastOfNew = 16

/** Bits of {@link strengthOf}: some ten years of a machine that tries 100,000 a second. */
const bitsOfNew = 45

/**
 * Judges whether a secret is hard to guess: printable ASCII, at least 12 characters, several different ones, not a
 * short piece repeated, and more than common words, runs (`1234`, `abcd`) and digits. One that should not be taken anew is
 * marked as weak: with less than 16 characters, or of too few bits ({@link strengthOf}).
 */
export const parseStrong: Parser<string> = (text) => {
  const shape = parsePrintable(text)
  if ('wrong' in shape) return shape
  if (text.length < least)
    return { wrong: `is too short: ${text.length} characters, at least ${leastOfNew} are needed` }
  if (new Set(text).size < 6) return { wrong: 'is too simple: it repeats very few characters' }
  if (isRepeated(text)) return { wrong: 'is too simple: it repeats a short piece' }
  const rest = withoutRuns(text.toLowerCase())
    .replace(words, '')
    .replace(/[\s\d_.!@#$%-]+/g, '')
  const digits = text.replace(/\D/g, '').length
  if (rest.length < 4 && withoutRuns(text).replace(/\D/g, '').length < least) {
    return {
      wrong: digits > least ? 'is too simple: a number anyone tries' : 'is too simple: a common word with trimmings',
    }
  }
  const weak = weaknessIn(text)
  return weak === undefined ? { value: text } : { value: text, weak }
}

/** What is wrong with a secret that was taken before these rules, and is taken where it is in force. */
function weaknessIn(text: string): string | undefined {
  if (text.length < leastOfNew) return `has ${text.length} characters, at least ${leastOfNew} are needed`
  return strengthOf(text) < bitsOfNew ? 'is made of words, names, years or runs that are tried first' : undefined
}

/** Printable ASCII without blanks around it: what survives shells, YAML, TOML and connection strings. */
const parsePrintable: Parser<string> = (text) => {
  if (text.trim() !== text) return { wrong: 'has spaces around it' }
  return /^[\x20-\x7e]+$/.test(text) ? { value: text } : { wrong: 'holds characters other than printable ASCII' }
}

/** Whether the text is a piece of at most half its length again and again, the last time perhaps cut off. In linear time. */
function isRepeated(text: string): boolean {
  // Of each beginning of the text, the length of its longest shorter beginning that it ends with (Knuth, Morris, Pratt).
  const borders = [0]
  for (let at = 1, length = 0; at < text.length; at++) {
    while (length > 0 && text[at] !== text[length]) length = borders[length - 1] ?? 0
    if (text[at] === text[length]) length++
    borders.push(length)
  }
  return text.length - (borders.at(-1) ?? 0) <= text.length / 2
}

/** The text without runs of three or more characters that follow each other (`abc`, `321`, `aaa`). */
function withoutRuns(text: string): string {
  let rest = ''
  for (let at = 0; at < text.length; ) {
    let end = at + 1
    const pace = text.charCodeAt(end) - text.charCodeAt(at)
    if (Math.abs(pace) <= 1) while (text.charCodeAt(end + 1) - text.charCodeAt(end) === pace) end++
    const length = end - at + 1
    if (length < 3 || Number.isNaN(pace)) rest += text[at++]
    else at += length
  }
  return rest
}

/** A password or key that someone chose or we generated. See {@link parseStrong}. */
export const strongSecret = (): Parsed<Secret> => hidden(parseStrong)

/** A token that a service handed out: only its shape is known. */
export function token(
  pattern: RegExp = /^\S{8,}$/,
  shape = 'a token (8 characters or more, no spaces)',
): Parsed<Secret> {
  return hidden((text) => {
    const printable = parsePrintable(text)
    if ('wrong' in printable) return printable
    return pattern.test(text) ? printable : { wrong: `is not ${shape}` }
  })
}

/** An OpenAI API key (`sk-…`). An Anthropic key is told apart. */
export const openaiKey = (): Parsed<Secret> =>
  hidden((text) => {
    if (text.startsWith('sk-ant-'))
      return { wrong: 'is an Anthropic key (sk-ant-…), not an OpenAI one', remedy: 'it belongs in ANTHROPIC_API_KEY' }
    return apiKey(text, 'sk-', 'OpenAI')
  })

/** An Anthropic API key (`sk-ant-…`). An OpenAI key is told apart. */
export const anthropicKey = (): Parsed<Secret> =>
  hidden((text) => {
    if (text.startsWith('sk-') && !text.startsWith('sk-ant-'))
      return {
        wrong: 'looks like an OpenAI key (sk-…), not an Anthropic one (sk-ant-…)',
        remedy: 'an OpenAI key belongs in OPENAI_API_KEY',
      }
    return apiKey(text, 'sk-ant-', 'Anthropic')
  })

function apiKey(text: string, prefix: string, vendor: string): ReturnType<Parser<string>> {
  if (!text.startsWith(prefix)) return { wrong: `is not an ${vendor} key: it does not begin with ${prefix}` }
  if (!/^[\w-]+$/.test(text)) return { wrong: `is not an ${vendor} key: it holds characters that no key has` }
  return text.length >= prefix.length + 16 ? { value: text } : { wrong: `is not an ${vendor} key: it is cut short` }
}

/** An AWS access key id (docs.aws.amazon.com/IAM: AKIA… for users, ASIA… for temporary credentials). */
export const awsKeyId = (): Parsed<Secret> =>
  hidden((text) => {
    if (/^[A-Za-z0-9+/]{40}$/.test(text))
      return { wrong: 'looks like a secret access key', remedy: 'it belongs in AWS_SECRET_ACCESS_KEY' }
    return /^(AKIA|ASIA)[A-Z0-9]{12,124}$/.test(text)
      ? { value: text }
      : { wrong: 'is not an AWS access key id (AKIA… or ASIA…)' }
  })

/** An AWS secret access key: 40 characters of base64. */
export const awsSecretKey = (): Parsed<Secret> =>
  hidden((text) => {
    if (/^(AKIA|ASIA)[A-Z0-9]{12,}$/.test(text))
      return { wrong: 'is an access key id', remedy: 'it belongs in AWS_ACCESS_KEY_ID' }
    return /^[A-Za-z0-9+/]{40}$/.test(text)
      ? { value: text }
      : { wrong: 'is not an AWS secret access key (40 characters)' }
  })

/** So many random bytes in standard, padded base64. */
export const base64Key = (bytes: number): Parsed<Secret> =>
  hidden((text) => {
    const key = Buffer.from(text, 'base64')
    // Encoding again catches the other alphabet, lost padding and stray characters, which Buffer forgives.
    if (key.toString('base64') !== text) return { wrong: 'is not standard base64 with its padding' }
    if (key.length !== bytes) return { wrong: `holds ${key.length} bytes; it must be exactly ${bytes}` }
    return new Set(key).size < bytes / 4 ? { wrong: 'is too simple: it repeats a few bytes' } : { value: text }
  })
