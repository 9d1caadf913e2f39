import { inTime } from '../../command/as-user.ts'
import { text } from '../../command/command.ts'
import type { Secret } from '../../command/secret.ts'
import { sh, withStdin } from '../../command/sh.ts'
import { psqlClient } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'

/**
 * Whether a role can log in over TCP on localhost with its password: undefined when it can, or PostgreSQL's words. Without
 * a terminal psql asks for the password on stdin, so it is in no argument, environment or file. The user of the role asks,
 * who knows it: Debian's psql looks into the folders of user postgres first.
 */
export function loginProblem(role: string, database: string, password: Secret): Question<string | undefined> {
  const address = `host=127.0.0.1 user=${role} dbname=${database} connect_timeout=10`
  const login = sh`runuser -u ${role} -- ${psqlClient} -W -d ${address} -c 'SELECT 1'`
  return {
    command: withStdin(sh`cd / && { setsid -w ${inTime(login)}; }`, text`${password}\n`),
    parse({ code, stdout, stderr }) {
      if (code === 0 && /^1$/m.test(stdout)) return undefined
      return code === 127
        ? 'psql is not installed'
        : ((stderr.match(/FATAL: +(.*)/) ?? stderr.match(/error: (.*)/))?.[1] ?? `exit code ${code}`)
    },
  }
}
