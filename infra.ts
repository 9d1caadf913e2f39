// All workspaces at once: what the npm scripts of the root start. `npm run plan`, and with -w pod one of them alone.
import { rootMain } from '@infra/shared/cli/root/main'
import cluster from './cluster/commands/index.ts'
import pod from './pod/commands/index.ts'
import stoat from './stoat/commands/index.ts'

await rootMain([pod, cluster, stoat])
