import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import type { ClusterContext } from '../context.ts'
import { imageSteps } from '../parts/images.ts'

export default script(
  'images',
  {
    about: 'images of the bot and of the sandbox: built when what they are made of has changed, pushed to ECR',
  },
  (context: ClusterContext) => imageSteps(context),
)

standalone(import.meta.url)
