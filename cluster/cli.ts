import { main } from '@infra/shared/cli/main'
import cluster from './commands/index.ts'

await main(cluster)
