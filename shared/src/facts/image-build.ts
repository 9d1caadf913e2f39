import { type ImageInputs, inputsCommand } from '../command/inputs.ts'
import { raw, sh } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

/** What builds, tags and pushes images. */
export type ContainerCli = 'docker' | 'podman' | 'buildah'

/** The tag of what an image is made of, or why there is none; undefined on a blank machine. */
export function inputsTag(
  inputs: ImageInputs,
): Question<{ readonly tag: string } | { readonly wrong: string } | undefined> {
  return {
    command: inputsCommand(inputs),
    parse({ code, stdout, stderr }) {
      if (code === 127) return undefined
      return code === 0 ? { tag: stdout.trim() } : { wrong: stderr.trim() }
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
