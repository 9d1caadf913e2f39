import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { image } from '@infra/shared/steps/aws/image'
import type { ClusterContext } from '../context.ts'
import { images } from '../parts/images.ts'

export default script(
  'images',
  {
    about: 'images of the bot and of the sandbox: built when what they are made of has changed, pushed to ECR',
  },
  (context: ClusterContext, add) => {
    for (const desired of images(context)) add(image(context.builder, desired))
  },
)

standalone(import.meta.url)
