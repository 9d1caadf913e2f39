import { sh } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

// INSTALLER is the last but one file that pip writes: a package without it was left half installed.
const script = `import importlib.metadata as m, sys
for name in sys.argv[1:]:
    try:
        found = m.distribution(name)
        print(name, found.version if found.read_text("INSTALLER") else "")
    except m.PackageNotFoundError:
        pass`

/** The versions of packages in a virtual environment, by name; one that is not wholly installed is not in it. */
export function pipVersions(venv: string, names: readonly string[]): Question<Readonly<Record<string, string>>> {
  return {
    // -I and -B: nothing of the environment's settings, and no byte code written.
    command: sh`[ -x ${`${venv}/bin/python`} ] || exit 127; exec ${`${venv}/bin/python`} -I -B -c ${script} ${names}`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127) throw new Error(stderr.trim())
      const lines = stdout.split('\n').map((line) => line.split(' '))
      return Object.fromEntries(
        lines.filter(([, version]) => version).map(([name = '', version = '']) => [name, version]),
      )
    },
  }
}
