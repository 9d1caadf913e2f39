import { type AwsPlace, aws, awsAnswer, listIn } from '../../command/aws.ts'
import { registryHost } from '../../command/image-build.ts'
import type { Question } from '../../engine/step.ts'

export interface EcrImage {
  /** `sha256:…` of its manifest: what a pod is given, since a tag may move. */
  readonly digest: string
  readonly tags: readonly string[]
  /** Seconds since 1970. */
  readonly pushed: number
  /** Compressed, as it is pulled. */
  readonly bytes: number
}

/** The images of a repository. Null when there is no such repository. DescribeImages. */
export function ecrImages(place: AwsPlace, repository: string): Question<readonly EcrImage[] | null> {
  return {
    // In pages as large as they come.
    command: aws(place, 'ecr', 'describe-images', { repositoryName: repository, maxResults: 1000 }),
    parse(output) {
      const answer = awsAnswer<{ imageDetails: ImageDetail[] }>(output, /^RepositoryNotFoundException$/)
      return answer && listIn(answer, 'imageDetails').map(readImage)
    },
  }
}

/** The image that a tag names; undefined when none does. */
export function imageOf(images: readonly EcrImage[] | null, tag: string): EcrImage | undefined {
  return images?.find(({ tags }) => tags.includes(tag))
}

/**
 * The image that `latest` of a repository is, by its digest, since a tag moves: `…/discord-bot@sha256:…`, in `registry`
 * or in the account's own. Undefined as long as there is none. DescribeImages.
 */
export function latestImage(place: AwsPlace, repository: string, registry?: string): Question<string | undefined> {
  return {
    command: aws(place, 'ecr', 'describe-images', { repositoryName: repository, imageIds: [{ imageTag: 'latest' }] }),
    parse(output) {
      const absent = /^(ImageNotFoundException|RepositoryNotFoundException)$/
      const found = awsAnswer<{ imageDetails?: (ImageDetail & { registryId: string })[] }>(output, absent)
      const image = found?.imageDetails?.[0]
      return (
        image &&
        `${registry ?? registryHost({ ...place, account: image.registryId })}/${repository}@${image.imageDigest}`
      )
    },
  }
}

function readImage({ imageDigest, imageTags, imagePushedAt, imageSizeInBytes }: ImageDetail): EcrImage {
  // The CLI writes a date where the service answers seconds.
  const pushed = typeof imagePushedAt === 'number' ? imagePushedAt : Date.parse(imagePushedAt ?? '') / 1000
  return { digest: imageDigest, tags: imageTags ?? [], pushed: Math.round(pushed) || 0, bytes: imageSizeInBytes ?? 0 }
}

interface ImageDetail {
  imageDigest: string
  imageTags?: string[]
  imagePushedAt?: number | string
  imageSizeInBytes?: number
}
