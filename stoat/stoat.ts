import { fileURLToPath } from 'node:url'
import { main } from '@infra/shared/cli/main'
import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { stoatSchema } from './env.ts'

const stoat: Workspace = workspace({
  name: 'stoat',
  about: 'the environment of the Stoat chat platform: secrets made and judged',
  schema: stoatSchema,
  scripts: [],
  open: ({ env }) => ({ context: { env }, targets: [] }),
  checks: () => [],
})

export default stoat

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(stoat)
