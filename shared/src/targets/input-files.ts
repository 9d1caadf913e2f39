import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Output } from '../command/command.ts'
import { ignores, takesBack } from '../command/dockerignore.ts'
import type { ImageInputs } from '../command/inputs.ts'

/**
 * A digest of all that an image is made of: 16 hex digits over the recipe, the build arguments and each file of the
 * context with its path, content and whether it can be executed. The same on every machine: owners, times, other bits
 * of the mode (a umask) and `.git` do not count. A second digest follows where podman and buildah leave out other files
 * than docker does. Exit code 2, with the reason, when there is no such folder or recipe.
 */
export async function digestInputs(inputs: ImageInputs): Promise<Output> {
  try {
    const ignores = await Promise.all([ignoreText(docker(inputs)), ignoreText(podman(inputs))])
    const digests: string[] = []
    for (const ignore of new Set(ignores)) digests.push(await digestOf(inputs, ignore))
    return { code: 0, stdout: `${digests.join(' ')}\n`, stderr: '' }
  } catch (error) {
    return { code: 2, stdout: '', stderr: reason(error as NodeJS.ErrnoException) }
  }
}

// Where BuildKit looks for what is left out of a build, and where podman and buildah do: the first that is there counts,
// even an empty one (docs.docker.com/build/concepts/context; buildah's ContainerIgnoreFile, seen with 1.28).
const docker = ({ recipe, context }: ImageInputs) => [`${recipe}.dockerignore`, join(context, '.dockerignore')]
const podman = ({ recipe, context }: ImageInputs) => [
  ...[`${recipe}.dockerignore`, `${recipe}.containerignore`],
  ...[join(context, '.containerignore'), join(context, '.dockerignore')],
]

async function ignoreText(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(orNone)
    if (text !== undefined) return text
  }
  return ''
}

async function digestOf({ context, recipe, args }: ImageInputs, ignore: string): Promise<string> {
  const hash = createHash('sha256').update('inputs 1\n')
  const entry = (kind: string, name: string, value: string) => hash.update(`${JSON.stringify([kind, name, value])}\n`)
  entry('recipe', '', await digestFile(recipe))
  entry('ignore', '', ignore)
  for (const name of Object.keys(args).sort()) entry('argument', name, args[name] ?? '')
  for (const path of await filesOf(context, ignore)) {
    const file = join(context, path)
    const state = await lstat(file)
    if (state.isSymbolicLink()) entry('link', path, await readlink(file))
    else entry(state.mode & 0o111 ? 'program' : 'file', path, await digestFile(file))
  }
  return hash.digest('hex').slice(0, 16)
}

/** The files and links of a context that a build sees, sorted by path, always with `/` between its parts. */
async function filesOf(context: string, ignore: string): Promise<string[]> {
  const ignored = ignores(ignore)
  const deep = takesBack(ignore)
  const found: string[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const item of await readdir(folder, { withFileTypes: true })) {
      const full = join(folder, item.name)
      const path = relative(context, full).split(sep).join('/')
      if (path === '.git') continue
      if (item.isDirectory()) {
        if (deep || !ignored(path)) await walk(full)
      } else if ((item.isFile() || item.isSymbolicLink()) && !ignored(path)) found.push(path)
    }
  }
  await walk(context)
  return found.sort((one, other) => (one < other ? -1 : 1))
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function orNone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}

const reason = ({ code, path, message }: NodeJS.ErrnoException): string =>
  code === 'ENOENT'
    ? `there is no ${path}`
    : code === 'ENOTDIR'
      ? `${path} is not a folder`
      : code === 'EISDIR'
        ? `${path ?? 'the recipe'} is a folder`
        : message
