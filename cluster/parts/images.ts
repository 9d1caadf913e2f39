import { dirname, join } from 'node:path'
import type { ImageRecipe } from '@infra/shared/command/image-build'
import { type ImageOptions, imageId } from '@infra/shared/steps/aws/image'
import type { PodInput } from '@infra/shared/steps/kubernetes/manifests'
import type { ClusterContext } from '../context.ts'
import type { ClusterEnv } from '../env/env.ts'

const sandboxFolder = join(import.meta.dirname, '../images/dev-sandbox')

/** What the bot's image is made from; undefined when it is built elsewhere. */
function botRecipe({
  BOT_PACKER_TEMPLATE: template,
  BOT_CONTEXT: context,
  BOT_DOCKERFILE: file,
}: ClusterEnv): ImageRecipe | undefined {
  if (!context) return undefined
  if (template) return { kind: 'packer', recipe: template, context, args: {} }
  return { kind: 'dockerfile', recipe: file ?? join(context, 'Dockerfile'), context, args: {} }
}

function sandboxRecipe(env: ClusterEnv): ImageRecipe {
  const { SANDBOX_PACKER_TEMPLATE: template, SANDBOX_BASE_IMAGE: base, SANDBOX_MCP: mcp, SANDBOX_MCP_IMAGE } = env
  if (template) return { kind: 'packer', recipe: template, context: dirname(template), args: {} }
  const recipe = join(sandboxFolder, 'Dockerfile')
  return {
    kind: 'dockerfile',
    recipe,
    context: sandboxFolder,
    args: { BASE: base, ...(mcp && !SANDBOX_MCP_IMAGE && { MCP: 'true' }) },
  }
}

/** The images that are built here, each of the repository of its name: not those that a variable names elsewhere. */
export function images({ env, folder }: ClusterContext): ImageOptions[] {
  const common = { cli: env.CONTAINER_CLI, registry: env.IMAGE_REGISTRY, folder }
  const bot =
    'Set BOT_CONTEXT to the folder of its Dockerfile (or BOT_DOCKERFILE, BOT_PACKER_TEMPLATE), or push one as latest.'
  const sandbox = 'Correct SANDBOX_PACKER_TEMPLATE.'
  return [
    ...(env.DISCORD_BOT_IMAGE ? [] : [{ ...common, repository: 'discord-bot', how: botRecipe(env), remedy: bot }]),
    ...(env.DEV_SANDBOX_IMAGE
      ? []
      : [{ ...common, repository: 'dev-sandbox', how: sandboxRecipe(env), remedy: sandbox }]),
  ]
}

/** What the pods of a repository get: its image, where it is built here. */
export const newImage = (context: ClusterContext, repository: string): PodInput[] =>
  images(context)
    .filter((one) => one.repository === repository)
    .map(() => ({ from: imageId(repository), what: 'its new image' }))
