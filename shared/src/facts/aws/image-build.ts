import type { ContainerCli } from '../../command/image-build.ts'
import { type ImageInputs, inputsCommand } from '../../command/inputs.ts'
import { raw, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** The tag of what an image is made of. */
export interface InputsTag {
  readonly tag: string
  /** Of what podman and buildah make it, where they leave out other files than docker does. */
  readonly podman?: string
}

/** The tag of what a program makes an image of; of what docker does where there is none. */
export const tagBy = (cli: ContainerCli | null | undefined, { tag, podman = tag }: InputsTag): string =>
  cli === 'podman' || cli === 'buildah' ? podman : tag

/** The tag of what an image is made of, or why there is none; undefined on a blank machine. */
export function inputsTag(inputs: ImageInputs): Question<InputsTag | { readonly wrong: string } | undefined> {
  return {
    command: inputsCommand(inputs),
    parse({ code, stdout, stderr }) {
      if (code === 127) return undefined
      if (code !== 0) return { wrong: stderr.trim() }
      const [tag = '', podman] = stdout.trim().split(' ')
      return podman === undefined ? { tag } : { tag, podman }
    },
  }
}

/**
 * Which program of this machine builds images: the wanted one, or the first of docker, podman and buildah that works (a
 * docker whose daemon does not run does not). Null when there is none, undefined on a blank machine.
 */
export function containerCli(wanted: ContainerCli | 'auto'): Question<ContainerCli | null | undefined> {
  const names = wanted === 'auto' ? (['docker', 'podman', 'buildah'] as const) : [wanted]
  const works = raw(
    `case $c in docker) docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ;; *) command -v "$c" >/dev/null ;; esac`,
  )
  return {
    command: sh`for c in ${names}; do if ${works}; then echo "$c"; break; fi; done`,
    parse: ({ code, stdout }) => (code === 127 ? undefined : ((stdout.trim() || null) as ContainerCli | null)),
  }
}
