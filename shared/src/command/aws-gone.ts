import { type Shell, sh } from './sh.ts'

/**
 * Looks again until a call ends with an error whose code matches, which says that a thing is gone: AWS deletes in its
 * own time. Gives up after so many seconds. `absent` is a part of a pattern of grep, such as `ResourceNotFound`.
 */
export function awsGone(call: Shell, absent: string, { say, seconds }: { say: string; seconds: number }): Shell {
  return sh`end=$(($(date +%s) + ${seconds}))
while said=$(${call} 2>&1) || ! printf '%s' "$said" | grep -q ${absent}; do
  printf '%s: not gone yet\\n' ${say}
  [ "$(date +%s)" -lt "$end" ] || { printf '%s: still there after %s seconds\\n' ${say} ${seconds} >&2; exit 1; }
  sleep ${2}
done`
}
