import { halfInstalled, lackingByteCode } from '../../command/byte-code.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface PipState {
  /** The versions of the packages that were asked for, by name; one that is not wholly installed is not in it. */
  readonly versions: Readonly<Record<string, string>>
  /** All packages of the environment that were left half installed, as pip wants them named: `six==1.17.0`. */
  readonly broken: readonly string[]
  /** Modules without byte code: who may not write there, compiles them anew at every start. */
  readonly plain: readonly string[]
}

const script = `${lackingByteCode}${halfInstalled}import importlib.metadata
broken = halfInstalled()
for one in broken:
    print("broken", one)
for name in sys.argv[1:]:
    if any(one.split("==")[0] == name.replace("_", "-").lower() for one in broken):
        continue
    try:
        print("version", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        pass
for name in lacking(True):
    print("plain", name)`

/** Packages in a virtual environment of Python. */
export function pipState(venv: string, names: readonly string[]): Question<PipState> {
  return {
    // -I and -B: nothing of the environment's settings, and no byte code written.
    command: sh`[ -x ${`${venv}/bin/python`} ] || exit 127; exec ${`${venv}/bin/python`} -I -B -c ${script} ${names}`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127) throw new Error(stderr.trim())
      const lines = stdout.split('\n').map((line) => line.split(' '))
      const told = (desired: string) => lines.flatMap(([word, ...rest]) => (word === desired ? [rest] : []))
      const versions = Object.fromEntries(told('version')) as Record<string, string>
      return { versions, broken: told('broken').flat(), plain: told('plain').flat() }
    },
  }
}
