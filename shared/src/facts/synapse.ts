import type { Output } from '../command/command.ts'
import { sh } from '../command/sh.ts'
import { psqlScript } from '../command/sql.ts'
import type { Question } from '../engine/step.ts'
import { databaseState } from './postgres.ts'

export const synapseFolder = '/etc/matrix-synapse'
export const synapseConfig = `${synapseFolder}/homeserver.yaml`
export const synapseDropIns = `${synapseFolder}/conf.d`

export interface ConfigFile {
  readonly path: string
  /** The names at its top. */
  readonly keys: readonly string[]
  /** Of these names the values, of one line: nothing that is secret. */
  readonly values: Readonly<Record<'server_name' | 'signing_key_path' | 'media_store_path', string | undefined>>
}

/** The files of Synapse's configuration in the order in which it reads them: a later one wins. Secrets stay there. */
export const configFiles: Question<readonly ConfigFile[]> = {
  command: sh`for f in ${synapseConfig} ${synapseDropIns}/*.yaml; do [ -f "$f" ] || continue; echo "file $f"
grep -oE '^[A-Za-z0-9_]+ *:' "$f" | tr -d ' :' | sed 's/^/key /'
grep -E '^(server_name|signing_key_path|media_store_path) *:' "$f" | sed 's/^/value /'
done`,
  parse({ code, stdout, stderr }) {
    if (code === 127) return []
    if (code !== 0 && stderr !== '') throw new Error(stderr.trim())
    return stdout
      .split(/^file /m)
      .slice(1)
      .map((piece) => {
        const [path = '', ...lines] = piece.split('\n')
        const value = (key: string) => {
          const line = lines.find((line) => new RegExp(`^value ${key} *:`).test(line))
          return (
            line
              ?.replace(/^[^:]*: */, '')
              .replace(/\s+#.*$/, '')
              .trim()
              .replace(/^(["'])(.*)\1$/, '$2') || undefined
          )
        }
        return {
          path,
          keys: lines.filter((line) => line.startsWith('key ')).map((line) => line.slice(4)),
          values: {
            server_name: value('server_name'),
            signing_key_path: value('signing_key_path'),
            media_store_path: value('media_store_path'),
          },
        }
      })
  },
}

/**
 * The server names of the users in a database, since a Matrix id ends in one. Undefined while nobody can tell: no
 * PostgreSQL, none that answers, no such database or no table of users.
 */
export function userServerNames(database: string): Question<readonly string[] | undefined> {
  const name = `'${database.replaceAll("'", "''")}'`
  const script = `select exists (select from pg_database where datname = ${name}) as found \\gset
\\if :found
\\connect ${name}
select to_regclass('public.users') is not null as found \\gset
\\if :found
select distinct 'server ' || substr(name, strpos(name, ':') + 1) from users limit 5;
\\endif
\\endif
`
  return {
    command: psqlScript('postgres', script),
    parse: ({ code, stdout }) =>
      code === 0 ? [...stdout.matchAll(/^server (.+)$/gm)].map(([, server = '']) => server) : undefined,
  }
}

/** A database's locale, which Synapse minds. Throws while there is none: nothing can be said of it then. */
export function databaseLocale(database: string): Question<{ readonly encoding: string; readonly locale: string }> {
  const { command, parse } = databaseState(database)
  return {
    command,
    parse(answer: Output) {
      const now = parse(answer)
      if (!now) throw new Error(`there is no database ${database} yet (the script postgresql makes it)`)
      return { encoding: now.encoding, locale: `${now.provider}, collate ${now.collate}, ctype ${now.ctype}` }
    },
  }
}

export interface SigningKey {
  readonly mode: string
  readonly owner: string
  readonly group: string
  /** Whether it looks like one: `ed25519 a_xxxx BASE64`. The key itself stays where it is. */
  readonly sound: boolean
  /** Tells one key from another. */
  readonly sha256: string
}

/**
 * The signing keys at this path and wherever the configuration says that one is, by path; one that is not there is not in
 * it.
 */
export function signingKeys(path: string): Question<Readonly<Record<string, SigningKey>>> {
  return {
    command: sh`{ echo ${path}; sed -n 's/^signing_key_path *: *//p' ${synapseConfig} ${synapseDropIns}/*.yaml 2>/dev/null |
sed 's/[[:space:]]#.*//; s/[[:space:]]*$//' | tr -d "\\"'"; } | sort -u | while read -r f; do [ -e "$f" ] || continue
stat -L -c '%n|%a|%U|%G' "$f"; grep -qsE '^ed25519 [A-Za-z0-9_]+ [A-Za-z0-9+/]{43}' "$f" && echo sound || echo broken
sha256sum <"$f" 2>/dev/null || echo none; done`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127) throw new Error(stderr.trim())
      const keys: Record<string, SigningKey> = {}
      for (const [, path = '', mode = '', owner = '', group = '', state, sha256 = ''] of stdout.matchAll(
        /^([^|\n]+)\|(\d+)\|([^|\n]+)\|([^|\n]+)\n(\w+)\n(\w+)/gm,
      ))
        keys[path] = { mode: mode.padStart(4, '0'), owner, group, sound: state === 'sound', sha256 }
      return keys
    },
  }
}
