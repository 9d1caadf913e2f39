import { dirname } from 'node:path'
import { type AwsPlace, accountVariable, awsPartition, awsWhere } from './aws.ts'
import type { ImageInputs } from './inputs.ts'
import { raw, type Shell, sh } from './sh.ts'

/** How an image is made: from a Dockerfile, or by a template of Packer that takes `image_repository` and `image_tag`. */
export interface ImageRecipe extends ImageInputs {
  readonly kind: 'dockerfile' | 'packer'
}

/** What builds, tags and pushes images. */
export type ContainerCli = 'docker' | 'podman' | 'buildah'

export interface ImageBuild {
  readonly cli: ContainerCli
  readonly how: ImageRecipe
  readonly repository: string
  readonly tag: string
  /** Where images are pushed to; the account's own ECR when left out. */
  readonly registry?: string | undefined
  /** The project's own folder, for the login while it lasts. */
  readonly folder: string
  /** Build every layer anew. */
  readonly fresh?: boolean
}

/** Exit codes that say which part failed. */
export const buildFailures = { 3: 'login', 4: 'build', 5: 'push' } as const

/** The host of an account's ECR; where the account is not known beforehand it is named by the shell variable that the target sets. */
export const registryHost = ({ region, account }: AwsPlace): string =>
  `${account ?? `$${accountVariable}`}.dkr.ecr.${region}.${awsPartition(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'}`

/**
 * One shell program that logs in, builds and pushes. The password goes from one program to the other, into a file that
 * is gone at the end; the user's own logins are used for the build only and are not changed. A registry takes a tag last,
 * once all layers are there: whenever this ends, there is the whole image or none.
 */
export function buildImage(place: AwsPlace, build: ImageBuild): Shell {
  const { cli, repository, tag, registry, folder, how, fresh } = build
  const own =
    cli === 'docker'
      ? raw('DOCKER_CONFIG="$own" DOCKER_HOST="$daemon" docker')
      : sh`REGISTRY_AUTH_FILE="$own/auth.json" ${cli}`
  const lines = [
    raw('umask 077'),
    sh`mkdir -p ${folder} || exit 1`,
    // The login of a build that was killed is of no use to anybody any more.
    sh`for old in ${folder}/registry.*; do pid="\${old##*/registry.}"; kill -0 "\${pid%%.*}" 2>/dev/null || rm -rf "$old"; done`,
    sh`own=$(mktemp -d ${folder}/registry.$$.XXXXXX) || exit 1`,
    raw(`trap 'rm -rf "$own"' EXIT; trap 'exit 1' HUP INT PIPE TERM`),
    registry === undefined ? raw(`registry="${registryHost(place)}"`) : sh`registry=${registry}`,
    sh`repository="$registry/"${repository}; image="$repository:"${tag}`,
    // What a config of our own would make it forget: which daemon, and where its plugins are.
    ...(cli === 'docker'
      ? [
          raw(`daemon=\${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)}`),
          sh`plugins="\${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"; [ ! -d "$plugins" ] || ln -s "$plugins" "$own/"`,
        ]
      : []),
    sh`aws ecr get-login-password ${awsWhere(place)} | ${own} login --username AWS --password-stdin "$registry" 2>&1 || exit 3`,
    ...(how.kind === 'packer' ? packer(own, place, build) : [dockerfile(build, how, fresh === true), push(own)]),
  ]
  return raw(lines.map(({ line }) => line).join('\n'))
}

// The nodes are what they are, whatever this machine is.
const platform = 'linux/amd64'

function dockerfile({ cli }: ImageBuild, { recipe, context, args }: ImageRecipe, fresh: boolean): Shell {
  const options = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  const anew = fresh ? ['--no-cache', '--pull'] : []
  // Neither an index with attestations nor a manifest that not every tool reads.
  return sh`BUILDX_NO_DEFAULT_ATTESTATIONS=1 BUILDAH_FORMAT=docker ${cli} build --platform ${platform} ${[...anew, ...options]} -f ${recipe} -t "$image" ${context} </dev/null 2>&1 || exit 4`
}

const push = (own: Shell): Shell => sh`${own} push "$image" 2>&1 || exit 5`

/** A template may push by itself; what it has only built is pushed here. */
function packer(own: Shell, place: AwsPlace, { how, repository, tag }: ImageBuild): Shell[] {
  const inside = sh`cd ${dirname(how.recipe)} || exit 4`
  const environment = sh`DOCKER_CONFIG="$own" DOCKER_HOST="\${daemon:-}" REGISTRY_AUTH_FILE="$own/auth.json"`
  return [
    inside,
    sh`packer init ${how.recipe} </dev/null 2>&1 || exit 4`,
    sh`${environment} packer build -color=false -var "image_repository=$repository" -var image_tag=${tag} ${how.recipe} </dev/null 2>&1 || exit 4`,
    sh`aws ecr describe-images --repository-name ${repository} --image-ids imageTag=${tag} ${awsWhere(place)} >/dev/null 2>&1 || { ${push(own)}; }`,
  ]
}

const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
]

/** Moves `latest` to the image of a tag, in the registry itself. That it is there already is not an error: other inputs may make the same image. */
export function moveLatest(place: AwsPlace, repository: string, tag: string): Shell {
  const at = sh`--repository-name ${repository} ${awsWhere(place)} --output text`
  const query = 'images[0].[imageManifestMediaType,imageManifest]'
  return sh`found=$(aws ecr batch-get-image ${at} --image-ids imageTag=${tag} --accepted-media-types ${manifestTypes} --query ${query}) || exit
tab=$(printf '\\t'); type="\${found%%"$tab"*}"; manifest="\${found#*"$tab"}"
[ "$type" != None ] || type=${manifestTypes[0] as string}
said=$(aws ecr put-image ${at} --image-tag latest --image-manifest "$manifest" --image-manifest-media-type "$type" --query image.imageId.imageDigest 2>&1) || {
  code=$?
  case $said in *ImageAlreadyExistsException*) ;; *) printf '%s\\n' "$said" >&2; exit "$code" ;; esac
}`
}
