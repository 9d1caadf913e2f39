import { type Shell, sh } from './sh.ts'

/**
 * Byte code of what `pip install --no-compile` has put into a virtual environment (a word of shell): pip itself compiles
 * one file after another, this uses all processors, or one where the host does not let Python share work. A file that is
 * no Python of this version is left so, as pip leaves it; anything else that fails is an error.
 */
export const compileVenv = (venv: Shell): Shell => {
  const compile = (processes: number) =>
    sh`said=$(${venv}/bin/python -I -m compileall -q -j ${processes} ${venv}/lib 2>&1)`
  return sh`{ ${compile(0)} || ${compile(1)} || { [ $? = 1 ] && case $said in
*Traceback* | *'No space left'* | *'quota exceeded'*) false;; esac; } || { printf '%s\n' "$said" >&2; false; }; }`
}

/**
 * Python that tells which modules of the environment it runs in have no byte code: `lacking(deep)`, by their names at the
 * top; with `deep` every file is looked at, without it those of the packages within packages are not. Whether a file can
 * be compiled at all is tried once for a name: a whole environment without byte code would take minutes.
 */
export const lackingByteCode = `import os, sys, sysconfig
def lacking(deep):
    top = sysconfig.get_path("purelib")
    found = set()
    for parent, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name.isidentifier() and name != "__pycache__"]
        if not deep and parent != top and "__init__.py" in files:
            folders.clear()
        try:
            made = set(os.listdir(os.path.join(parent, "__pycache__")))
        except OSError:
            made = set()
        for name in files:
            if not name.endswith(".py") or name[:-2] + sys.implementation.cache_tag + ".pyc" in made:
                continue
            path = os.path.join(parent, name)
            module = os.path.relpath(path, top).split(os.sep)[0]
            if module in found:
                continue
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec", dont_inherit=True)
                found.add(module)
            except (SyntaxError, ValueError, OSError):
                pass
    return sorted(found)
`

/**
 * Python that tells which packages of the environment it runs in are installed in part: `halfInstalled()`, as pip wants
 * them named (`six==1.17.0`), and `halfNotes()`, the folders of what pip noted of them. INSTALLER is of what pip itself
 * writes, after all that is in the wheel, and under its name only once it is whole; a wheel brings a RECORD of its own,
 * early, which pip writes anew last of all. Told by the names of the folders: any file in them may be cut.
 */
export const halfInstalled = `import glob, os, sysconfig
def halfNotes():
    top = sysconfig.get_path("purelib")
    notes = sorted(glob.glob(os.path.join(glob.escape(top), "[!~]*.dist-info")))
    whole = lambda path: os.path.isfile(path) and os.path.getsize(path) > 0
    return [note for note in notes if not all(whole(os.path.join(note, name)) for name in ("INSTALLER", "RECORD"))]
def halfInstalled():
    names = [os.path.basename(note).removesuffix(".dist-info").partition("-") for note in halfNotes()]
    return [name.replace("_", "-").lower() + "==" + version for name, _, version in names]
`
