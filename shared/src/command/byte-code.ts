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

/** So many names of modules without byte code are told at most: all of the environment is compiled where one lacks it. */
export const mostNames = 50

/** So many files of one name are tried at most: who brings templates, or code of another Python, brings thousands. */
export const mostTries = 10

/**
 * Python that tells which modules of the environment it runs in have no byte code: `lacking(deep)`, by their names at the
 * top; with `deep` every folder is looked into, without it those of the packages within packages are not. What it costs
 * hangs on the folders and names: no file is opened that has byte code, and of one name few that have none.
 */
export const lackingByteCode = `import os, sys, sysconfig
def lacking(deep):
    top = sysconfig.get_path("purelib")
    found, failed = set(), {}
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
            if module in found or failed.get(module, 0) == ${mostTries}:
                continue
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec", dont_inherit=True)
                found.add(module)
            except (SyntaxError, ValueError, OSError):
                failed[module] = failed.get(module, 0) + 1
            if len(found) == ${mostNames}:
                return sorted(found)
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
