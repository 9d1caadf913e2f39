import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { stoatSchema } from './env/env.ts'

const stoat: Workspace = workspace({
  name: 'stoat',
  schema: stoatSchema,
  scripts: [],
  open: ({ env }) => ({ context: { env }, targets: [] }),
  checks: () => [],
})

export default stoat
