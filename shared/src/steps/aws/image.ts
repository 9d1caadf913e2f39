import { type AwsPlace, awsError } from '../../command/aws.ts'
import type { Output } from '../../command/command.ts'
import {
  buildFailures,
  buildImage,
  type ContainerCli,
  type ImageRecipe,
  moveLatest,
} from '../../command/image-build.ts'
import { changes, create, type Decision, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type EcrImage, ecrImages, imageOf } from '../../facts/aws/ecr-images.ts'
import { containerCli, type InputsTag, inputsTag, tagBy } from '../../facts/aws/image-build.ts'
import { programThere } from '../../facts/host/program.ts'

export interface ImageOptions {
  /** The ECR repository. */
  readonly repository: string
  /** Undefined: it is built elsewhere, and only has to be there. */
  readonly how: ImageRecipe | undefined
  readonly cli: ContainerCli | 'auto'
  readonly registry?: string | undefined
  /** The project's own folder, for the login while it lasts. */
  readonly folder: string
  /** How to say where it is made from: `Set BOT_CONTEXT …`. */
  readonly remedy: string
  readonly dependsOn?: readonly Dependency[]
}

type OnAws = Target & { readonly place: AwsPlace }

interface Now {
  readonly images: readonly EcrImage[] | null
  /** Undefined on a blank machine, or where there is nothing to build. */
  readonly inputs?: InputsTag | { readonly wrong: string } | undefined
  readonly cli?: ContainerCli | null | undefined
  readonly packer?: boolean
}

/** The id of the step that {@link image} makes. */
export const imageId = (repository: string): string => `image ${repository}`

/**
 * An image in ECR, tagged by a digest of all it is made of, and `latest` on it. Nothing is built while that tag is there.
 * `on` has this machine beside it, which answers what the image is made of.
 */
export function image(on: OnAws, desired: ImageOptions): Step {
  const { repository, how, dependsOn = [] } = desired
  return step({
    id: imageId(repository),
    on,
    dependsOn,
    ask: {
      images: ecrImages(on.place, repository),
      ...(how && { inputs: inputsTag(how), cli: containerCli(desired.cli) }),
      ...(how?.kind === 'packer' && { packer: programThere('packer') }),
    },
    plan: (now: Now) => decide(on, desired, now),
  })
}

function decide({ place, blank }: OnAws, desired: ImageOptions, { images, inputs, cli, packer }: Now): Decision {
  const { repository, how } = desired
  if (!how && !blank) return decideForeign(desired, images)
  if (!how || !inputs) return changes([create(`image ${repository}`, [], { explain })], '')
  if ('wrong' in inputs) return refuse(`image ${repository} cannot be built: ${inputs.wrong}`, desired.remedy)
  const tag = how.kind === 'packer' ? inputs.tag : tagBy(cli, inputs)
  const found = imageOf(images, tag)
  const latest = moveLatest(place, repository, tag)
  if (found) {
    const moved = update(`latest of ${repository} → ${tag}`, latest, { explain })
    return changes(found.tags.includes('latest') ? [] : [moved], `${tag}, ${found.digest.slice(0, 19)}`)
  }
  if (!cli) return refuseCli(desired)
  if (packer === false)
    return refuse('packer is not installed', 'Install it: https://developer.hashicorp.com/packer/install')
  const { registry, folder } = desired
  const build = buildImage(place, { cli, how, repository, tag, registry, folder })
  const by = how.kind === 'packer' ? 'packer' : cli
  return changes([create(`image ${repository}:${tag} (${by}, ${how.recipe})`, [build, latest], { explain })], '')
}

function decideForeign({ repository, remedy }: ImageOptions, images: readonly EcrImage[] | null): Decision {
  const found = imageOf(images, 'latest')
  return found
    ? changes([], `latest is ${found.digest.slice(0, 19)}, built elsewhere`)
    : refuse(`there is no image ${repository}:latest, and nothing says how to build one`, remedy)
}

function refuseCli({ cli }: ImageOptions): Decision {
  const install = 'Install one: https://docs.docker.com/get-docker/, https://podman.io or buildah'
  return cli === 'auto'
    ? refuse('there is no docker, podman or buildah here that works', `${install}; is a daemon of docker running?`)
    : refuse(`${cli} does not work here`, `Start its daemon, correct CONTAINER_CLI, or: ${install}`)
}

function explain(output: Output): string | undefined {
  const part = buildFailures[output.code as keyof typeof buildFailures]
  if (part === 'login')
    return 'the registry does not accept the login (may these credentials do ecr:GetAuthorizationToken?)'
  if (part === 'build') return 'the build failed'
  if (part === 'push') return 'the image cannot be pushed'
  const error = awsError(output)
  return error && `${error.code}: ${error.message}`
}
