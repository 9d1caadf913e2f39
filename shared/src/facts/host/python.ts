import { askUser, isNoUser } from '../../command/as-user.ts'
import { halfInstalled } from '../../command/byte-code.ts'
import { quote } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface VenvState {
  readonly exists: boolean
  /** Who owns its folder. */
  readonly owner: string | undefined
  /** A folder in it that is another's, whose files pip cannot replace, as a path below it. */
  readonly foreign: string | undefined
  /**
   * Its Python's version when that starts and finds its pip, wholly installed: after an upgrade of the system's Python it
   * does not, nor where a kill left half a pip.
   */
  readonly python: string | undefined
}

const program = `${halfInstalled}import pip, sys
isThere = glob.glob(os.path.join(glob.escape(sysconfig.get_path("purelib")), "pip-*.dist-info"))
isCut = any(one.startswith("pip==") for one in halfInstalled())
if sys.prefix != sys.base_prefix and isThere and not isCut:
    print("%d.%d.%d" % sys.version_info[:3])`

// -I and -B: nothing of the user's settings, and no byte code written.
const script = `[ -e "$1" ] || exit 0
stat -c %U "$1"
echo "$(find "$1" -mindepth 1 -xdev -type d ! -user "$2" -printf '%P' -quit 2>/dev/null)"
"$1/bin/python" -I -B -c ${quote(program)} 2>/dev/null || true`

/** A virtual environment, looked at as the user whose it is. */
export function venvState(path: string, user: string): Question<VenvState> {
  return {
    command: askUser(user, script, [path, user]),
    parse(answer) {
      const [owner, foreign, python] = isNoUser(answer) ? [] : answer.stdout.split('\n')
      if (!isNoUser(answer) && answer.code !== 0) throw new Error(answer.stderr.trim())
      return {
        exists: Boolean(owner),
        owner: owner || undefined,
        foreign: foreign || undefined,
        python: python || undefined,
      }
    },
  }
}
