import type { Command, Output } from '../../command/command.ts'
import { folderOfPipes, makeMark, minder, type Program, sourceOf, utf8, words } from './program.ts'

/** Seconds after which a question is ended, where its command says no other number. */
export const questionSeconds = 30

/** What a question may print, in MiB on each of its two streams. */
const answerMiB = 4
const answerBytes = answerMiB * 1024 * 1024

/** From how many questions on two shells answer them: for a few, the second one costs more than it saves. */
const many = 8

// A shell that was just forked may lose any signal but KILL.
// The numbers of the shells are words of it; `d` is the folder, `p` in it has the pipes: o, e and i with the number of the
// question. A question is taken by the file q, which only one can make. k: the exit codes by number; w: what a shell is at,
// for how many seconds at most, and its process; kl: the questions that were ended.
// Most print nothing on stderr: only what follows a line there is worth the start of a program.
const functions = (mark: string) => `infra_copy() { trap '' XFSZ; ulimit -f ${answerBytes / 512}; exec cat; }
infra_copy_any() {
  if IFS= read -r infra_x; then printf '%s\\n' "$infra_x"; infra_copy; else printf %s "$infra_x"; fi
}
infra_eval() { set +C; infra_q=$1; set --; eval "$infra_q"; }
infra_ask() {
  { true >"$infra_d/q$1"; } 2>/dev/null || return 0
  echo "$1 $2 $infra_s" >|"$infra_d/w$infra_w" || exit
  infra_copy <"$infra_d/p/o$1" >"$infra_d/o$1" &
  infra_copy_any <"$infra_d/p/e$1" >"$infra_d/e$1" &
  if [ "$4" = - ]; then ( infra_eval "$3" ) </dev/null >"$infra_d/p/o$1" 2>"$infra_d/p/e$1"
  else
    printf %s "$4" | base64 -d >"$infra_d/p/i$1" &
    ( infra_eval "$3" ) <"$infra_d/p/i$1" >"$infra_d/p/o$1" 2>"$infra_d/p/e$1"
  fi
  echo "$1 $?" >>"$infra_d/k$infra_w" || exit
}
infra_work() {
  exec </dev/null >/dev/null 2>&1
  infra_w=$1
  read -r infra_s infra_x </proc/self/stat
  set -C
  infra_all
  echo "end 1 $infra_s" >|"$infra_d/w$infra_w"
  wait
}
${minder(mark)}`

/**
 * Asks each question by itself: one that fails, hangs or prints without end says nothing of the others. Both streams of a
 * question are pipes of its own, below a folder that only root may enter, and what copies them stops at the limit of size.
 * What a question leaves running, as whichever account, so holds nothing but those two: it can neither print into another
 * answer nor read one, and is waited for two seconds at most. The questions are taken in turn by two shells. Beside each,
 * another one minds the time: it kills what a question that lasts too long has started.
 */
export function questionProgram(questions: readonly Command[]): Program {
  const mark = makeMark()
  const shells = questions.length < many ? [0] : [0, 1]
  const asked = questions.map((question, at) => {
    const { timeoutSeconds = questionSeconds } = question
    return `infra_ask ${at} ${timeoutSeconds} ${words(question)}`
  })
  const body = `printf '\\n%s begun\\n' '${mark}'
${functions(mark)}
infra_all() {
:
${asked.join('\n')}
}
${folderOfPipes(mark, questions)}
: >"$infra_d/k0" && : >"$infra_d/k1" && : >"$infra_d/kl" || exit
${shells.map((shell) => `infra_work ${shell} & infra_w${shell}=$!`).join('\n')}
${shells.map((shell) => `infra_mind ${shell} & infra_m${shell}=$!`).join('\n')}
wait ${shells.map((shell) => `"$infra_w${shell}"`).join(' ')}
kill -9 ${shells.map((shell) => `"$infra_m${shell}"`).join(' ')}
wait
cd "$infra_d" || exit
set -- k*${questions.length > 0 ? ' [oe]*' : ''}
printf '\\n%s sizes\\n' '${mark}'
wc -c "$@"
printf '%s answers\\n' '${mark}'
cat "$@"
cd /`
  const answers = answersOf(mark)
  return {
    kind: 'questions',
    source: sourceOf(mark, body),
    complete: (stdout) => answers(stdout) !== undefined,
    died: (stdout) => stdout.endsWith(`\n${mark}died\n`),
    underWay: (stdout) => lastAt(stdout, mark).flatMap((at) => questions[at]?.line ?? []),
    parse: (stdout) => parse(questions, answers(stdout) ?? new Map()),
  }
}

/** The files that the host sent, by name, as soon as all of them are there. */
function answersOf(mark: string): (stdout: string) => ReadonlyMap<string, string> | undefined {
  const [head, body] = [`\n${mark} sizes\n`, `${mark} answers\n`]
  let sizes: [string, number][] | undefined
  let begin = 0
  let end = 0
  return (stdout) => {
    if (!sizes) {
      const from = stdout.indexOf(head)
      const to = from < 0 ? -1 : stdout.indexOf(body, from)
      if (to < 0) return
      const lines = stdout.slice(from + head.length, to).matchAll(/^ *(\d+) (k.|[oe]\d+)$/gm)
      sizes = [...lines].map(([, size, name = '']) => [name, Number(size)])
      begin = to + body.length
      end = sizes.reduce((sum, [, size]) => sum + size, begin)
    }
    if (stdout.length < end) return
    let at = begin
    const next = (size: number) => {
      at += size
      return stdout.slice(at - size, at)
    }
    return new Map(sizes.map(([name, size]) => [name, next(size)]))
  }
}

function parse(questions: readonly Command[], files: ReadonlyMap<string, string>): Output[] {
  const numbers = (name: string) => [...(files.get(name) ?? '').matchAll(/^(\d+)(?: (\d+))?$/gm)]
  const codes = new Map([...numbers('k0'), ...numbers('k1')].map(([, at, code]) => [Number(at), Number(code)]))
  const late = new Set(numbers('kl').map(([, at]) => Number(at)))
  const answers: Output[] = []
  for (const [at, { timeoutSeconds = questionSeconds }] of questions.entries()) {
    const [code, stdout, stderr] = [codes.get(at), files.get(`o${at}`), files.get(`e${at}`)]
    if (code === undefined || stdout === undefined || stderr === undefined) break
    const isLong = stdout.length >= answerBytes || stderr.length >= answerBytes
    if (late.has(at)) answers.push(unanswered(`no answer within ${timeoutSeconds} seconds`))
    else if (isLong) answers.push(unanswered(`an answer without end: more than ${answerMiB} MiB`))
    else answers.push({ code, stdout: utf8(stdout), stderr: utf8(stderr).replace(/\n+$/, '') })
  }
  return answers
}

const unanswered = (why: string): Output => ({ code: 124, stdout: '', stderr: why, unanswered: why })

/** The questions that the shells were at when they last told. */
function lastAt(stdout: string, mark: string): number[] {
  const told = [...stdout.slice(-200).matchAll(new RegExp(`\n${mark} at (\\d+)\n`, 'g'))].slice(-2)
  return [...new Set(told.map(([, at]) => Number(at)))]
}
