import { type Output, plainText } from '../../command/command.ts'
import { raw, sh, withStdin } from '../../command/sh.ts'
import { askRole, sql, superuserStatement } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'
import { databaseState } from '../postgres/postgres.ts'
import { readConfig } from './config.ts'

/**
 * The server names of the users in a database, since a Matrix id ends in one, asked as the role that Synapse is. Undefined
 * while nobody can tell: no PostgreSQL, none that answers, no such role or database, or no table of Synapse's users.
 * Throws where the role may not read that table.
 */
export function userServerNames(database: string, role: string): Question<readonly string[] | undefined> {
  const script = `select to_regclass('public.users') is not null and to_regclass('public.applied_schema_deltas') is not null as found \\gset
\\if :found
select distinct 'server ' || substr(name, strpos(name, ':') + 1) from public.users limit 5;
\\endif
`
  // PostgreSQL would log it as an error that there is no such role.
  const known = superuserStatement(
    'postgres',
    sql`SELECT 'known' FROM pg_database, pg_roles WHERE datname = ${database} AND rolname = ${role}`,
  )
  const asked = askRole(role, database, script)
  return {
    command: withStdin(
      raw(`case $({ ${known.line}; } </dev/null) in known) ;; *) exit 2 ;; esac; ${asked.line}`),
      asked.stdin ?? plainText(''),
    ),
    parse({ code, stdout, stderr }) {
      const denied = stderr.match(/ERROR: +(permission denied .*)/)?.[1]
      if (denied)
        throw new Error(`the users of Synapse in database ${database} cannot be read as role ${role}: ${denied}`)
      if (code === 124) throw new Error(`the users of Synapse in database ${database}: ${stderr.trim()}`)
      return code === 0 ? [...stdout.matchAll(/^server (.+)$/gm)].map(([, server = '']) => server) : undefined
    },
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

// Synapse parts the words at any blanks (signedjson), and takes the base64 with its padding or without.
const signingKeyLine = '^[[:space:]]*ed25519[[:space:]]+[A-Za-z0-9_]+[[:space:]]+[A-Za-z0-9+/]{43}=?[[:space:]]*$'

/**
 * The signing keys at this path and wherever the configuration says that one is, by path; one that is not there is not in
 * it.
 */
export function signingKeys(path: string): Question<Readonly<Record<string, SigningKey>>> {
  return {
    command: sh`paths=$({ echo ${path}; ${readConfig('keys', path)}; }) || exit
echo "$paths" | sort -u | while read -r f; do [ -e "$f" ] || continue
stat -L -c '%n|%a|%U|%G' "$f"; grep -qsE ${signingKeyLine} "$f" && echo sound || echo broken
sha256sum <"$f" 2>/dev/null || echo none; done`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127)
        throw new Error(`the signing keys cannot be found: ${stderr.trim().split('\n').at(-1)}`)
      const keys: Record<string, SigningKey> = {}
      for (const [, path = '', mode = '', owner = '', group = '', state, sha256 = ''] of stdout.matchAll(
        /^([^|\n]+)\|(\d+)\|([^|\n]+)\|([^|\n]+)\n(\w+)\n(\w+)/gm,
      ))
        keys[path] = { mode: mode.padStart(4, '0'), owner, group, sound: state === 'sound', sha256 }
      return keys
    },
  }
}
