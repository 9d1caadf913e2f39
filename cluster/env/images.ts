import { filePath, folderPath } from '@infra/shared/env/folder'
import { choice, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const images = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Images', ...meta })

/** Where the images are made from. */
export const imageVariables = {
  BOT_CONTEXT: variable(
    folderPath().optional(),
    images({
      description: "Path of the build context of the bot's image; a changed file causes a new build",
      example: '../discord-bot',
      path: true,
      unset: 'the image is built elsewhere, and `latest` is in ECR already',
    }),
  ),
  BOT_DOCKERFILE: variable(
    filePath().optional(),
    images({
      description: 'Path of its Dockerfile',
      example: '../discord-bot/docker/Dockerfile',
      path: true,
      unset: '`Dockerfile` in `BOT_CONTEXT`',
    }),
  ),
  BOT_PACKER_TEMPLATE: variable(
    filePath().optional(),
    images({
      description:
        'Path of a Packer template instead, with the variables `image_repository` and `image_tag`; with `BOT_CONTEXT`',
      example: '../discord-bot/docker/build.pkr.hcl',
      path: true,
      unset: 'the image is built from a Dockerfile',
    }),
  ),
  SANDBOX_PACKER_TEMPLATE: variable(
    filePath().optional(),
    images({
      description: 'Path of a Packer template for the sandbox',
      example: '../discord-bot/docker/dev-sandbox.pkr.hcl',
      path: true,
      unset: 'cluster/images/dev-sandbox/Dockerfile',
    }),
  ),
  SANDBOX_BASE_IMAGE: variable(
    matching(/^[\w][\w./:@-]*$/, 'the name of an image').prefault('public.ecr.aws/docker/library/debian:trixie-slim'),
    images({ description: 'The Debian base image of the sandbox', example: 'debian:trixie-slim' }),
  ),
  CONTAINER_CLI: variable(
    choice('auto', 'docker', 'podman', 'buildah').prefault('auto'),
    images({ description: 'The program that builds images; `auto` selects the first that works', example: 'podman' }),
  ),
  IMAGE_REGISTRY: variable(
    matching(/^[\w.-]+(:\d+)?$/, 'a host, with or without a port').optional(),
    images({
      description: 'Another registry than ECR, for rehearsals',
      example: '127.0.0.1:5000',
      unset: 'ECR in `AWS_REGION`',
    }),
  ),
}
