import { spawnSync } from 'node:child_process'
import { cp, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../cache.ts'
import { must, tether } from '../run.ts'

/** How a module of `go/` is built, beside its files. */
export type GoRecipe = {
  /** The folder below `go/`, or below `sources`. */
  readonly module: string
  /** Where the modules are, unless they are these. */
  readonly sources?: string
  /** The module's own program, unless its tools.go names others. */
  readonly own?: boolean
  readonly cgo?: boolean
  readonly tags?: string
  /** Values of string variables, by `package.name`. */
  readonly set?: Readonly<Record<string, string>>
  /** Programs that get another name than their package's. */
  readonly rename?: Readonly<Record<string, string>>
}

const ownSources = fileURLToPath(new URL('go/', import.meta.url))

/**
 * The folder with the programs of one module, built once from the Go module proxy. The versions of go.mod are exact,
 * and what they need follows from them, so that the same files give the same programs. `part` tells which of how many.
 */
export async function goPrograms({ sources = ownSources, ...recipe }: GoRecipe, part = ''): Promise<string> {
  const from = join(sources, recipe.module)
  const names = (await readdir(from)).sort()
  const texts = await Promise.all(names.map(async (name) => [name, await readFile(join(from, name), 'utf8')] as const))
  const folder = await cached(
    'go',
    { version: 1, recipe, texts },
    async (to) => {
      await cp(from, join(to, 'source'), { recursive: true })
      const tools = texts.find(([name]) => name === 'tools.go')?.[1] ?? ''
      const packages = recipe.own ? ['.'] : [...tools.matchAll(/_ "(.*)"/g)].map(([, path = '']) => path)
      const values = Object.entries(recipe.set ?? {}).map(([name, value]) => `-X ${name}=${value}`)
      const flags = ['-trimpath', '-ldflags', ['-s -w', ...values].join(' '), '-tags', recipe.tags ?? '']
      const env = {
        CGO_ENABLED: recipe.cgo ? '1' : '0',
        // An older Go gets the one that go.mod asks for from the module proxy by itself.
        GOTOOLCHAIN: 'auto',
        GOWORK: 'off',
        GOFLAGS: '-buildvcs=false',
        // The compiler is a Go program too: with less collecting it takes a sixth less of the processors.
        GOGC: '400',
        GOMEMLIMIT: '2GiB',
      }
      const go = async (...args: string[]) => {
        const [program, ...rest] = [...tether, 'nice', goProgram() ?? 'go', ...args]
        await must(program, rest, { cwd: join(to, 'source'), env })
      }
      await go('mod', 'tidy')
      await go('build', ...flags, '-o', join(to, 'bin/'), ...packages)
      for (const [name, as] of Object.entries(recipe.rename ?? {}))
        await rename(join(to, 'bin', name), join(to, 'bin', as))
    },
    `${recipe.module}${part && ` (${part})`}, from its sources in Go`,
  )
  return join(folder, 'bin')
}

/** Where Go is: on the path, or where its own installer puts it. Undefined where it is older than 1.21 or absent. */
export function goProgram(): string | undefined {
  for (const program of ['go', '/usr/local/go/bin/go']) {
    const { stdout } = spawnSync(program, ['env', 'GOVERSION'], { encoding: 'utf8' })
    const minor = Number(/^go1\.(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
    if (minor >= 21) return program
  }
  return undefined
}
