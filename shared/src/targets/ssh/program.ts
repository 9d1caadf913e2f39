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
  /** Whether it frames its beginning: what comes before is of the login shell that starts it. */
  readonly framed?: boolean
  /** Whether this much of its output is all of it: here and below each character stands for a byte ({@link utf8}). */
  complete(stdout: string, stderr: string): boolean
  /** Whether it says that it ended badly: no more will come. */
  died?(stdout: string): boolean
  /** The lines of the commands that were under way by then. */
  underWay?(stdout: string): string[]
  /** The answers in what it printed; fewer than commands when it ended early. */
  parse(stdout: string, stderr: string): Output[]
}

/** Hosts differ in the PATH they give to a non-interactive shell, and in language. */
const setting = 'export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; umask 022'

/** The text of these bytes. What is not UTF-8 in it cannot be had back. */
export const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString()

/** What frames the answers: no output can hold it by chance. */
export const makeMark = () => `:${randomBytes(12).toString('hex')}:`

export const words = ({ line, stdin }: Command) =>
  `${quote(line)} ${stdin ? Buffer.from(revealText(stdin)).toString('base64') || "''" : '-'}`

/** The place of the pipes of a program. On a tmpfs: a reboot takes away what a power cut leaves. */
export const folderOf = (mark: string) => `/run/infra-${mark.slice(1, -1)}`

/**
 * Makes a folder, `$infra_d`, that only root may enter and that goes with the program, and pipes in it. Each command has
 * pipes of its own for what it prints and reads: what it leaves running, as whichever account, can neither print among
 * the output of another command nor read any. Our functions and variables have names that no program has: a function called
 * `make` would take the place of the program in every line that is run.
 */
export const folderOfPipes = (mark: string, commands: readonly Command[]) => {
  const pipes = commands.flatMap(({ stdin }, at) => [`o${at}`, `e${at}`, ...(stdin ? [`i${at}`] : [])])
  return `umask 077
infra_d=${folderOf(mark)}
mkdir "$infra_d" "$infra_d/p" 2>/dev/null || { infra_d=$(mktemp -d) && mkdir "$infra_d/p"; } || exit
trap 'rm -rf "$infra_d"' EXIT
trap 'exit 1' HUP INT TERM PIPE
${pipes.length > 0 ? `( cd "$infra_d/p" && mkfifo ${pipes.join(' ')} ) || exit` : ''}
umask 022`
}

/**
 * `infra_mind N` minds the time of a shell that notes in the file w and its number what it is at, for how many seconds at
 * most, and its process: it tells that each second, and where it takes longer kills all that the shell has started. It ends
 * with the folder. (A process that was just forked may lose any signal but KILL.)
 */
export const minder = (mark: string) => `infra_kill() {
  infra_f=" $1 " infra_n=0
  while [ "$infra_n" -lt "\${#infra_f}" ]; do
    infra_n=\${#infra_f}
    for infra_x in /proc/[0-9]*; do
      infra_c=\${infra_x#/proc/} infra_b=
      case $infra_f in *" $infra_c "*) continue ;; esac
      while read -r infra_a infra_b; do [ "$infra_a" != PPid: ] || break; done <"$infra_x/status"
      case $infra_f in *" $infra_b "*) infra_f="$infra_f$infra_c " ;; esac
    done
  done
  for infra_c in $infra_f; do case $infra_c in "$1" | "$2") ;; *) kill -9 "$infra_c" ;; esac; done
}
infra_mind() {
  exec </dev/null 2>/dev/null
  read -r infra_i infra_x </proc/self/stat
  infra_k= infra_t=0
  while sleep 1 >/dev/null && [ -d "$infra_d" ]; do
    read -r infra_l infra_m infra_s <"$infra_d/w$1" || continue
    printf '\\n%s at %s\\n' '${mark}' "$infra_l"
    [ "$infra_l" = "$infra_k" ] || infra_t=0
    infra_k=$infra_l infra_t=$((infra_t + 1))
    [ "$infra_t" -gt "$infra_m" ] || continue
    [ "$infra_k" = end ] || echo "$infra_k" >>"$infra_d/kl"
    infra_kill "$infra_s" "$infra_i"
  done
}`

// The functions go with their program: the first letters of the next one's must not call them. Not `infra_body || exit`:
// behind that, `set -e` has no effect in what it runs.
export const sourceOf = (mark: string, body: string) => `infra_body() (
${setting}
${body}
)
infra_main() {
infra_body
set -- $?
unset -f infra_body infra_main
[ "$1" = 0 ] || { rm -rf ${folderOf(mark)}; printf '\\n%sdied\\n' '${mark}'; exit "$1"; }
}
infra_main
`

const endOf = (mark: string) => `${mark} end\n`

/** Whether this is at the end of it, though something that was left running may have printed after it. */
const ends = (stdout: string, end: string) => stdout.slice(-4096).includes(end)

const hasDied = (mark: string) => (stdout: string) => ends(stdout, `${mark}died\n`)

/** Seconds for what a command has printed to be sent, where something that it left running could print more. */
const patience = 4

/**
 * Runs commands in order up to the first that fails. `guard` is shell text that must hold before the first (the lock is
 * still ours); the descriptor that it keeps open, 8, is not handed on. Their output streams while they run.
 */
export function changeProgram(commands: readonly Command[], guard = ':'): Program {
  const mark = makeMark()
  const begun = `\n${mark} begun\n`
  const body = `export DEBIAN_FRONTEND=noninteractive
${guard}
printf '\\n%s begun\\n' '${mark}'
printf '\\n%s begun\\n' '${mark}' >&2
${folderOfPipes(mark, commands)}
infra_eval() { infra_x=$1; set --; eval "$infra_x"; }
infra_make() {
  cat <"$infra_d/p/o$1" 8>&- & infra_c=$!
  cat <"$infra_d/p/e$1" >&2 8>&- & infra_c="$infra_c $!"
  if [ "$3" = - ]; then ( infra_eval "$2" ) </dev/null >"$infra_d/p/o$1" 2>"$infra_d/p/e$1" 8>&-
  else
    printf %s "$3" | base64 -d >"$infra_d/p/i$1" 8>&- & infra_c="$infra_c $!"
    ( infra_eval "$2" ) <"$infra_d/p/i$1" >"$infra_d/p/o$1" 2>"$infra_d/p/e$1" 8>&-
  fi
  infra_x=$?
  echo "$1 ${patience} $infra_s" >"$infra_d/w0"
  { wait $infra_c; } 2>/dev/null
  : >"$infra_d/w0"
  printf '\\n%s %s\\n' '${mark}' "$infra_x"
  printf '\\n%s\\n' '${mark}' >&2
  [ "$infra_x" = 0 ] || infra_finish
}
${minder(mark)}
read -r infra_s infra_x </proc/self/stat
( exec >/dev/null 8>&-; infra_mind 0 ) &
infra_finish() { printf '%s end\\n' '${mark}'; exit 0; }
${commands.map((command, at) => `infra_make ${at} ${words(command)}`).join('\n')}
infra_finish`
  const end = endOf(mark)
  const own = (said: string) => (said.includes(begun) ? said.slice(said.indexOf(begun) + begun.length) : said)
  const cutUp = (stdout: string, stderr: string) =>
    [own(stdout).replace(end, '').split(`\n${mark} `), own(stderr).split(`\n${mark}\n`)] as const
  return {
    kind: 'changes',
    framed: true,
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
        stdout: utf8(index === 0 ? (outs[0] ?? '') : cut(outs[index] ?? '')[1]),
        stderr: utf8(errs[index] ?? ''),
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
