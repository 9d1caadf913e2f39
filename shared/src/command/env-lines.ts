import { plainText, type Text, text } from './command.ts'
import { derive, isSecret, type Secret } from './secret.ts'

/**
 * Variables as a file that sh can source and that systemd takes as an EnvironmentFile. Between double quotes both know
 * the same four escapes; the lines without `=`, which have what is set be exported, are only a comment to
 * systemd. Throws on a line break: systemd and sh read it differently.
 */
export function envLines(variables: Readonly<Record<string, string | Secret | undefined>>, about: string): Text {
  const lines = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [text`${name}=${isSecret(value) ? derive((open) => word(open(value))) : word(value)}\n`],
  )
  return join([plainText(`# ${about}\nset -a\n`), ...lines, plainText('set +a\n')])
}

/** A PostgreSQL connection URL (RFC 3986): user, password and database percent-encoded. */
export function postgresUrl(at: {
  user: string
  password: Secret
  host: string
  port: number
  database: string
}): Secret {
  const { user, password, host, port, database } = at
  return derive((open) => `postgresql://${encode(user)}:${encode(open(password))}@${host}:${port}/${encode(database)}`)
}

// What encodeURIComponent leaves as it is although RFC 3986 reserves it.
const encode = (value: string) =>
  encodeURIComponent(value).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function word(value: string): string {
  if (/[\n\r\0]/.test(value)) throw new TypeError('envLines: a value of several lines')
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(value) ? value : `"${value.replace(/["\\$`]/g, '\\$&')}"`
}

const join = (texts: readonly Text[]): Text => ({ parts: texts.flatMap(({ parts }) => parts) })
