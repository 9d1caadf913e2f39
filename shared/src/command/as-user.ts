import { type Command, type Text, text } from './command.ts'
import { type Shell, sh, withStdin } from './sh.ts'

/**
 * A program of POSIX shell, run as another user in that user's home, with `args` as its $1, $2 … It goes by stdin, so it
 * may hold secrets, and reads nothing there itself. Root must never run what a user can write (a repository's hooks, a
 * venv's python), and git refuses to.
 */
export function asUser(user: string, program: string | Text, args: readonly string[] = []): Command {
  return withStdin(sh`runuser -u ${user} -- sh -s -- ${args}`, userProgram(program))
}

/** What the shell of such a program reads on its stdin. */
export function userProgram(program: string | Text): Text {
  const home = 'HOME=$(getent passwd "$(id -u)" | cut -d: -f6); export HOME; cd / || exit'
  // A function, called on the last line: one that was cut off on its way is not run.
  return text`main() {\n${home}\n${program}\n}\nmain "$@" </dev/null\n`
}

/**
 * The same command with the rights of the account `owner`; root's stays as it is. A file in a folder of another account is
 * read and written so: by its name root could be led anywhere, by a link that the account puts in the way meanwhile.
 */
export function withRightsOf(owner: string, command: Shell): Shell {
  return owner === 'root' ? command : sh`cd / && runuser -u ${owner} -- sh -c ${command.line}`
}

/** Whether an answer tells that there is no such user yet. */
export function isNoUser({ code, stderr }: { code: number; stderr: string }): boolean {
  return code === 127 || /^runuser: user \S+ does not exist/m.test(stderr)
}
