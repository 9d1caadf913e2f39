import { randomBytes } from 'node:crypto'
import { type Command, type Output, revealText } from '../../command/command.ts'
import { quote } from '../../command/sh.ts'

/**
 * Programs for `sh -s`: they go by stdin, so nothing of them is in an argument list or in a file on the host. Each is
 * one function called on its last line: a connection that breaks in the middle of sending runs none of it. Its body
 * is a shell of its own, so that the one that reads is as it was for the program that comes next; where a program ends
 * badly, that one says so and ends too.
 */
export interface Program {
  /** Questions are never put to a shell that made changes: those may have left something running that still prints. */
  readonly kind: 'questions' | 'changes'
  /** The shell text to send. */
  readonly source: string
  /** Whether this much of its output is all of it. */
  complete(stdout: string, stderr: string): boolean
  /** Whether it says that it ended badly: no more will come. */
  died?(stdout: string): boolean
  /** The answers in what it printed; fewer than commands when it ended early. */
  parse(stdout: string, stderr: string): Output[]
}

/** Hosts differ in the PATH they give to a non-interactive shell, and in language. */
const setting = 'export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; umask 022'

/** What frames the answers: no output can hold it by chance. */
const makeMark = () => `:${randomBytes(12).toString('hex')}:`

const words = ({ line, stdin }: Command) =>
  `${quote(line)} ${stdin ? Buffer.from(revealText(stdin)).toString('base64') || "''" : '-'}`

/**
 * Feeds the second argument (base64, or `-` for nothing) to the command line in the first. Our functions have names that
 * no program has: a function called `make` would take the place of the program in every line that is run.
 */
const feed = `infra_feed() {
  if [ "$2" = - ]; then ( eval "$1" ) </dev/null; else printf %s "$2" | base64 -d | ( eval "$1" ); fi
}`

// The functions go with their program: the first letters of the next one's must not call them. Not `infra_body || exit`:
// behind that, `set -e` has no effect in what it runs.
const sourceOf = (mark: string, body: string) => `infra_body() (
${setting}
${body}
)
infra_main() {
infra_body
set -- $?
unset -f infra_body infra_main
[ "$1" = 0 ] || { printf '\\n%sdied\\n' '${mark}'; exit "$1"; }
}
infra_main
`

const endOf = (mark: string) => `${mark} end\n`

/** Whether this is at the end of it, though something that was left running may have printed after it. */
const ends = (stdout: string, end: string) => stdout.slice(-4096).includes(end)

const hasDied = (mark: string) => (stdout: string) => ends(stdout, `${mark}died\n`)

/** Asks each question by itself: one that fails or hangs up says nothing of the others. */
export function questionProgram(questions: readonly Command[]): Program {
  const mark = makeMark()
  const body = `exec 3>&1
${feed}
infra_ask() {
  e=$( { infra_feed "$1" "$2" >&3 3>&-; } 2>&1 )
  printf '\\n%s %s\\n%s\\n%s\\n' '${mark}' "$?" "$e" '${mark}'
}
printf '\\n%s\\n' '${mark}'
${questions.map((question) => `infra_ask ${words(question)}`).join('\n')}
printf '%s end\\n' '${mark}'`
  const end = endOf(mark)
  return {
    kind: 'questions',
    source: sourceOf(mark, body),
    complete: (stdout) => ends(stdout, end),
    died: hasDied(mark),
    parse: (stdout) => {
      // The first piece is not ours: what the user's shell says when it starts.
      const pieces = stdout.replace(end, '').split(`\n${mark}`).slice(1)
      const answers: Output[] = []
      for (let index = 0; index + 2 < pieces.length; index += 2) {
        const [code, err] = cut((pieces[index + 1] ?? '').trimStart())
        answers.push({ code: Number(code), stdout: cut(pieces[index] ?? '')[1], stderr: err })
      }
      return answers
    },
  }
}

/**
 * Runs commands in order up to the first that fails. `guard` is shell text that must hold before the first (the lock is
 * still ours). Their output streams while they run.
 */
export function changeProgram(commands: readonly Command[], guard = ':'): Program {
  const mark = makeMark()
  const body = `export DEBIAN_FRONTEND=noninteractive
${guard}
${feed}
infra_make() {
  infra_feed "$1" "$2"
  c=$?
  printf '\\n%s %s\\n' '${mark}' "$c"
  printf '\\n%s\\n' '${mark}' >&2
  [ "$c" = 0 ] || infra_finish
}
infra_finish() { printf '%s end\\n' '${mark}'; exit 0; }
${commands.map((command) => `infra_make ${words(command)}`).join('\n')}
infra_finish`
  const end = endOf(mark)
  const cutUp = (stdout: string, stderr: string) =>
    [stdout.replace(end, '').split(`\n${mark} `), stderr.split(`\n${mark}\n`)] as const
  return {
    kind: 'changes',
    source: sourceOf(mark, body),
    complete: (stdout, stderr) => {
      if (!ends(stdout, end)) return false
      const [outs, errs] = cutUp(stdout, stderr)
      return errs.length === outs.length
    },
    died: hasDied(mark),
    parse: (stdout, stderr) => {
      const [outs, errs] = cutUp(stdout, stderr)
      return outs.slice(1).map((piece, index) => ({
        code: Number(cut(piece)[0]),
        stdout: index === 0 ? (outs[0] ?? '') : cut(outs[index] ?? '')[1],
        stderr: errs[index] ?? '',
      }))
    },
  }
}

/** Lines of framing that a listener of the output must not see. */
export function isFrame(line: string): boolean {
  return /^:[0-9a-f]{24}:/.test(line)
}

function cut(text: string): [string, string] {
  const at = text.indexOf('\n')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
