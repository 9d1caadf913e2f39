import { askUser, isNoUser } from '../../command/as-user.ts'
import { halfInstalled, lackingByteCode } from '../../command/byte-code.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import { quote } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What a Python distribution says of itself; null where it does not say (a version that is made when it is built). */
export interface PackageMetadata {
  readonly version: string | null
  /** Its requirements without those of its extras, in one order and spelling. */
  readonly requires: readonly string[] | null
  /** The programs that it brings, by name. */
  readonly scripts: Readonly<Record<string, string>>
}

export interface PackageState {
  /** `no venv`, `no source`: it cannot be installed yet. */
  readonly missing: 'venv' | 'source' | undefined
  /** By the source's pyproject.toml. */
  readonly desired: PackageMetadata | undefined
  /** By what pip noted when it installed it. */
  readonly installed: PackageMetadata | undefined
  /** The folder that it is installed from as editable (PEP 610). */
  readonly editable: string | undefined
  /** Where Python finds it. */
  readonly found: string | undefined
  /** Requirements that nothing installed meets, and constraints that something installed breaks. */
  readonly unmet: readonly string[]
  /** What the environment has of packages that were installed in part, all of them: `six==1.17.0`. */
  readonly broken: readonly string[]
  /** Modules of the environment without byte code: a service that may not write there compiles them at every start. */
  readonly plain: readonly string[]
}

const program = `${lackingByteCode}${halfInstalled}import importlib.metadata as metadata, importlib.util, json, tomllib
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
name, source, *constraints = sys.argv[1:]

def listed(lines):
    rows = [row for row in map(Requirement, lines) if "extra" not in str(row.marker or "")]
    for row in rows:
        row.name = canonicalize_name(row.name)
    return sorted(map(str, rows))

def unmet(line, absent=True):
    row = Requirement(line)
    if row.marker and not row.marker.evaluate({"extra": ""}):
        return False
    try:
        return not row.specifier.contains(metadata.version(row.name) or "0", prereleases=True)
    except metadata.PackageNotFoundError:
        return absent

out = {"broken": halfInstalled()}
try:
    path = os.path.join(source, "pyproject.toml")
    if not os.path.isfile(path) or os.path.getsize(path) > 1048576:
        raise FileNotFoundError(path)
    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    dynamic = project.get("dynamic", [])
    out["desired"] = {
        "version": project.get("version"),
        "requires": None if "dependencies" in dynamic else listed(project.get("dependencies", [])),
        "scripts": project.get("scripts", {}),
    }
except (FileNotFoundError, NotADirectoryError):
    out["missing"] = "source"
except KeyError:
    pass
try:
    dist = metadata.distribution(name)
    out["installed"] = {
        "version": dist.version or "",
        "requires": listed(dist.requires or []),
        "scripts": {row.name: row.value for row in dist.entry_points if row.group == "console_scripts"},
    }
    origin = json.loads(dist.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        out["editable"] = origin["url"].removeprefix("file://")
    spec = importlib.util.find_spec(name)
    out["found"] = spec.origin if spec else None
    out["unmet"] = [line for line in out["installed"]["requires"] if unmet(line)]
    out["unmet"] += [line for line in constraints if unmet(line, False)]
    out["plain"] = lacking(False)
except metadata.PackageNotFoundError:
    pass
print(json.dumps(out))`

// -I and -B: nothing of the user's settings, and no byte code written.
const script = `[ -x "$1/bin/python" ] || { echo '{"missing": "venv"}'; exit 0; }
venv=$1; shift; exec "$venv/bin/python" -I -B -c ${quote(program)} "$@"`

export interface PackagePlace {
  readonly venv: string
  /** The folder with its pyproject.toml. */
  readonly source: string
  readonly user: string
  /** Bounds for what it needs and whatever that needs, as pip writes them: `mcp<2`. */
  readonly constraints?: readonly string[]
}

/** A package in a virtual environment, beside the source it is desired from; asked of its own Python, as its user. */
export function packageState(name: string, place: PackagePlace): Question<PackageState> {
  const { venv, source, user, constraints = [] } = place
  return {
    command: askUser(user, script, [venv, name, source, ...constraints]),
    parse(answer) {
      const absent: PackageState = {
        missing: undefined,
        desired: undefined,
        installed: undefined,
        editable: undefined,
        found: undefined,
        unmet: [],
        broken: [],
        plain: [],
      }
      if (isNoUser(answer)) return { ...absent, missing: 'venv' }
      if (answer.code !== 0) throw new Error(answer.stderr.trim().split('\n').at(-1) ?? `exit code ${answer.code}`)
      const { found, ...told } = jsonAnswer<Partial<PackageState>>(answer.stdout, 'the packages of Python')
      return { ...absent, ...told, found: found ?? undefined }
    },
  }
}
