import { type Command, type Text, text } from './command.ts'
import { type Shell, sh, withStdin } from './sh.ts'

/**
 * A program of POSIX shell, run as another user in that user's home, with `args` as its $1, $2 … It goes by stdin, so it
 * may hold secrets, and reads nothing there itself. Root must never run what a user can write (a repository's hooks, a
 * venv's python), and git refuses to.
 */
export function asUser(user: string, program: string | Text, args: readonly string[] = []): Command {
  return withStdin(shellOf(user, args), userProgram(program))
}

const shellOf = (user: string, args: readonly string[]): Shell => sh`runuser -u ${user} -- sh -s -- ${args}`

/** What the shell of such a program reads on its stdin. */
export function userProgram(program: string | Text): Text {
  const home = 'HOME=$(getent passwd "$(id -u)" | cut -d: -f6); export HOME; cd / || exit'
  // A function, called on the last line: one that was cut off on its way is not run.
  return text`main() {\n${home}\n${program}\n}\nmain "$@" </dev/null\n`
}

/** Seconds for a question that another account answers: what it looks at is that account's, and may never end. */
const patience = 15

/** The head of a simple command that ends within so many seconds, with all that it started. */
const within = (seconds: number): Shell => sh`timeout -k 2 ${seconds}`

/** The head of a simple command that ends within {@link patience}. */
export const limited: Shell = within(patience)

/** The same command {@link limited}; its last words tell where that was not enough. */
export const inTime = (command: Shell, seconds = patience): Shell =>
  sh`${within(seconds)} ${command} || { c=$?; [ $c -ne 124 ] || echo ${`no answer within ${seconds} seconds`} >&2; (exit $c); }`

/** {@link asUser} for a question. `seconds` is how long it may take. */
export function askUser(
  user: string,
  program: string | Text,
  args: readonly string[] = [],
  seconds = patience,
): Command {
  const command = withStdin(inTime(shellOf(user, args), seconds), userProgram(program))
  // It is to end by its own limit, which is the one that is told.
  return seconds === patience ? command : { ...command, timeoutSeconds: seconds + 5 }
}

/** {@link withRightsOf} for a question. */
export function askWithRightsOf(owner: string, command: Shell): Shell {
  return owner === 'root' ? command : sh`cd / && { ${inTime(runAs(owner, command))}; }`
}

const runAs = (owner: string, command: Shell): Shell => sh`runuser -u ${owner} -- sh -c ${command.line}`

/**
 * The same command with the rights of the account `owner`; root's stays as it is. A file in a folder of another account is
 * read and written so: by its name root could be led anywhere, by a link that the account puts in the way meanwhile.
 */
export function withRightsOf(owner: string, command: Shell): Shell {
  return owner === 'root' ? command : sh`cd / && ${runAs(owner, command)}`
}

/** Whether an answer tells that there is no such user yet. */
export function isNoUser({ code, stderr }: { code: number; stderr: string }): boolean {
  return code === 127 || /^runuser: user \S+ does not exist/m.test(stderr)
}
