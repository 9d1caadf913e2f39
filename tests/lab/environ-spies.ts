import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** Programs that keep the environment of each of their starts, and are the real ones otherwise. */
export interface EnvironSpies {
  /** To go before all other folders of PATH. */
  readonly bin: string
  /** Every environment that was seen, with the program it was of. */
  seen(): Promise<readonly { readonly program: string; readonly environ: string }[]>
}

/** Puts them into a folder, for these programs where a PATH leads to them. */
export async function spyOn(programs: readonly string[], folder: string, path: string): Promise<EnvironSpies> {
  const [bin, seen] = [join(folder, 'spies'), join(folder, 'environments')]
  for (const place of [bin, seen]) await mkdir(place, { mode: 0o700 })
  for (const program of programs) {
    const { stdout } = await run('sh', ['-c', `command -v ${program}`], { env: { PATH: path } })
    const real = stdout.trim()
    if (real === '') throw new Error(`there is no ${program}`)
    await writeFile(join(bin, program), `#!/bin/sh\ncat /proc/$$/environ >>${seen}/${program}.$$\nexec ${real} "$@"\n`)
    await chmod(join(bin, program), 0o755)
  }
  return {
    bin,
    async seen() {
      const files = await readdir(seen)
      const read = async (file: string) => ({
        program: file.replace(/\.\d+$/, ''),
        environ: await readFile(join(seen, file), 'utf8'),
      })
      return Promise.all(files.map(read))
    },
  }
}
