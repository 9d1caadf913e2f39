import type { Command } from './command.ts'

/** What an image is made of. Paths are absolute. */
export interface ImageInputs {
  /** The folder whose files a build may copy; those that its ignore file (`.dockerignore`) names do not count. */
  readonly context: string
  /** The recipe: a Dockerfile, or a template of Packer. It counts even where it is ignored. */
  readonly recipe: string
  readonly args: Readonly<Record<string, string>>
}

const prefix = 'INPUTS '

/** The command that answers a digest of the inputs, as a tag: 16 hex digits; two where docker builds of other files than podman and buildah. Its own kind of line: no shell runs it. */
export function inputsCommand({ context, recipe, args }: ImageInputs): Command {
  return { line: prefix + JSON.stringify({ context, recipe, args }) }
}

/** Takes a line of {@link inputsCommand} apart; undefined for any other. */
export function parseInputs({ line }: Command): ImageInputs | undefined {
  return line.startsWith(prefix) ? (JSON.parse(line.slice(prefix.length)) as ImageInputs) : undefined
}
