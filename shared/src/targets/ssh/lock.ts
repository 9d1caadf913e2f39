import { type Command, plainText } from '../../command/command.ts'
import { quote, raw, withStdin } from '../../command/sh.ts'
import type { Program } from './program.ts'

// On a tmpfs: a reboot ends every lock.
const folder = '/run/infra'
const lock = `${folder}/lock`

/** A holder that gave no sign of life for this long is gone: its connection was cut. In minutes, for `find`. */
const expiry = 2
/** How often the holder gives one, in seconds. */
export const heartbeat = 20

/** What the host keeps of the runs that changed it, a line each: in a folder that is root's alone. */
const [logFolder, log] = ['/var/lib/infra', '/var/lib/infra/runs.log']
/** It grows to so many bytes; then so many of its lines are kept. */
const [mostBytes, keptLines] = [262_144, 1000]

/** Shell text of a function that adds the line of this run, where a change was made under the lock. */
const noting = (entry: string) => `note() {
  [ -n "$end" ] && [ -e ${lock}/changed ] || return 0
  mkdir -p ${logFolder} && printf '%s; %s; %s\\n' "$(date -u +%FT%TZ)" ${quote(entry)} "$end" >>${log} || return 0
  [ "$(wc -c <${log})" -le ${mostBytes} ] || { tail -n ${keptLines} ${log} >${log}.new && mv ${log}.new ${log}; }
}
`

/** Prints what the host keeps of the runs that changed it. */
export const readLog: Command = raw(`[ ! -e ${log} ] || tail -n ${keptLines} ${log}`)

/**
 * Takes the lock and keeps it for as long as the session lives: mkdir is the atomic part; the holder, its time and its
 * id are told in it; the end of our stdin (we are done, or dead) removes it. Then waits for a change that an
 * interrupted run may have left running (it holds `busy`).
 * Prints `HELD <holder>` when it starts to wait, then `TAKEN`, or `TIMEOUT`. Where there is an `entry`, and a change was made,
 * the host keeps it with what came behind `END ` on our stdin: no round trip of its own, and a run that is killed has one too.
 */
export function lockProgram(id: string, holder: string, timeout: number, entry?: string): Program {
  const source = `main() {
export LC_ALL=C
umask 077
mkdir -p ${folder}
take() {
  exec 9>>${folder}/mutex
  flock 9
  [ -z "$(find ${lock} -maxdepth 0 -mmin +${expiry} 2>/dev/null)" ] || rm -rf ${lock}
  mkdir ${lock} 2>/dev/null && printf '%s\\n' ${quote(id)} ${quote(holder)} "$(date -u +%FT%TZ)" >${lock}/holder
  t=$?
  exec 9>&-
  return $t
}
${entry === undefined ? '' : noting(entry)}end='cut off'
drop() { [ "$(head -n 1 ${lock}/holder 2>/dev/null)" != ${quote(id)} ] || { ${entry === undefined ? '' : 'note; '}rm -rf ${lock}; }; }
left=${timeout}
told=
until take; do
  if [ -z "$told" ]; then told=1; printf 'HELD %s\\n' "$(tail -n +2 ${lock}/holder 2>/dev/null | tr '\\n' ' ')"; fi
  if [ "$left" -le 0 ]; then echo TIMEOUT; exit 0; fi
  left=$((left - 1))
  sleep 1
done
trap drop EXIT
trap 'exit 1' HUP INT TERM PIPE
exec 8>>${folder}/busy
flock -x -n 8 || { echo "HELD a change that an interrupted run left running"; flock -x -w 600 8 || { echo TIMEOUT; exit 0; }; }
exec 8>&-
echo TAKEN
while read -r beat; do case $beat in END) end= ;; 'END '*) end=\${beat#END } ;; esac; [ "$(head -n 1 ${lock}/holder 2>/dev/null)" = ${quote(id)} ] || exit 0; touch ${lock}; done
}
main
`
  return { kind: 'changes', source, complete: (stdout) => /^(TAKEN|TIMEOUT)$/m.test(stdout), parse: () => [] }
}

/** Shell text for the head of a change: the lock is still ours, and whoever takes it next waits for us to end. */
export function lockFence(id: string): string {
  return `[ "$(head -n 1 ${lock}/holder 2>/dev/null)" = ${quote(id)} ] || { echo 'the lock was lost' >&2; exit 75; }
: >${lock}/changed
exec 8>>${folder}/busy
flock -s 8`
}

/** Prints the holder of the lock; nothing where there is none. */
export const readLock: Command = raw(`tail -n +2 ${lock}/holder 2>/dev/null | tr '\\n' ' '`)

/** Removes the lock, whoever holds it; prints its holder. */
export const breakLock: Command = withStdin(
  raw(`tail -n +2 ${lock}/holder 2>/dev/null | tr '\\n' ' '; rm -rf ${lock}`),
  plainText(''),
)
