import { main } from '@infra/shared/cli/main'
import provision from './commands.ts'

await main(provision)
