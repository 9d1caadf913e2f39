import { type Shell, sh } from './sh.ts'

/**
 * Byte code of what `pip install --no-compile` has put into a virtual environment (a word of shell): pip itself compiles
 * one file after another, this uses all processors. What cannot be compiled is left so, as pip leaves it; a full disk is
 * an error.
 */
export const compileVenv = (venv: Shell): Shell =>
  sh`{ said=$(${venv}/bin/python -I -m compileall -q -j 0 ${venv}/lib 2>&1) || case $said in
*'No space left'* | *'quota exceeded'*) printf '%s\n' "$said" >&2; false;; esac; }`
