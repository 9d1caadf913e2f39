import { choice, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const images = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Images', ...meta })

const image = () =>
  matching(/^[a-z0-9][\w.:/-]*(:\w[\w.-]*|@sha256:[0-9a-f]{64})$/, 'the name of an image with its tag or digest')

/** The image of one of Stoat's own programs, which {@link imageVariables.STOAT_IMAGES} chooses unless it is named. */
const own = (service: string, example: string) =>
  variable(
    image().optional(),
    images({ description: `Another image of ${service}`, example, unset: 'that of `STOAT_IMAGES`' }),
  )

const other = (what: string, fallback: string) =>
  variable(image().prefault(fallback), images({ description: `The image of ${what}`, example: fallback }))

/** What runs. Each may be named by tag or by digest. */
export const imageVariables = {
  STOAT_IMAGES: variable(
    choice('revolt', 'stoat', 'next').prefault('revolt'),
    images({
      description:
        'Which release runs: `revolt` (revoltchat 20250930-2, as in the original), `stoat` (stoatchat v0.13.8), `next` (stoatchat v0.15.1). Downgrades are not possible',
      example: 'stoat',
    }),
  ),
  STOAT_API_IMAGE: own('stoat-api', 'ghcr.io/stoatchat/api:v0.13.8'),
  STOAT_EVENTS_IMAGE: own('stoat-events', 'ghcr.io/stoatchat/events:v0.13.8'),
  STOAT_WEB_IMAGE: own('stoat-web', 'ghcr.io/stoatchat/for-web:746bee5'),
  STOAT_AUTUMN_IMAGE: own('stoat-autumn', 'ghcr.io/stoatchat/file-server:v0.13.8'),
  STOAT_JANUARY_IMAGE: own('stoat-january', 'ghcr.io/stoatchat/proxy:v0.13.8'),
  STOAT_GIFBOX_IMAGE: own('stoat-gifbox', 'ghcr.io/stoatchat/gifbox:v0.13.8'),
  STOAT_CROND_IMAGE: own('stoat-crond', 'ghcr.io/stoatchat/crond:v0.13.8'),
  STOAT_PUSHD_IMAGE: own('stoat-pushd', 'ghcr.io/stoatchat/pushd:v0.13.8'),
  STOAT_CADDY_IMAGE: other('stoat-caddy', 'public.ecr.aws/docker/library/caddy:2'),
  STOAT_MONGODB_IMAGE: other('stoat-mongodb', 'public.ecr.aws/docker/library/mongo:7'),
  STOAT_RABBITMQ_IMAGE: other(
    'stoat-rabbitmq, with the management plugin',
    'public.ecr.aws/docker/library/rabbitmq:4.2-management',
  ),
  STOAT_MINIO_IMAGE: other('stoat-minio', 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z'),
  STOAT_MINIO_CLIENT_IMAGE: other(
    'the client `mc`, which creates the bucket',
    'quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z',
  ),
}

/** The version that the tag of a MongoDB image names, `7.0.14` or `7`; undefined where it names none. */
export const mongoVersion = (image: string): string | undefined =>
  /:v?(\d+(?:\.\d+)*)[\w.-]*$/.exec(image.replace(/@.*$/, ''))?.[1]

/** The major version that the tag of a MongoDB image names; undefined where it names none. */
export function mongoMajor(image: string): number | undefined {
  const version = mongoVersion(image)
  return version === undefined ? undefined : Number.parseInt(version, 10)
}
