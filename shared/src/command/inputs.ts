import type { Command } from './command.ts'

/** What an image is made of. Paths are absolute. */
export interface ImageInputs {
  /** The folder whose files a build may copy; those that its ignore file (`.dockerignore`) names do not count. */
  readonly context: string
  /** The recipe: a Dockerfile, or a template of Packer. It counts even where it is ignored. */
  readonly recipe: string
  readonly args: Readonly<Record<string, string>>
}

/** A command for the target that reads files on this machine. */
interface InputsCommand extends Command {
  readonly request: { readonly kind: 'inputs'; readonly inputs: ImageInputs }
}

/**
 * The command that answers a digest of the inputs, as a tag: 16 hex digits; two where docker builds of other files than
 * podman and buildah. No shell runs it.
 */
export function inputsCommand({ context, recipe, args }: ImageInputs): InputsCommand {
  const inputs = { context, recipe, args }
  return { line: `INPUTS ${JSON.stringify(inputs)}`, request: { kind: 'inputs', inputs } }
}

/** The inputs that a command of {@link inputsCommand} asks about; undefined for any other. */
export function inputsOf({ request }: Command): ImageInputs | undefined {
  return request?.kind === 'inputs' ? (request as InputsCommand['request']).inputs : undefined
}
