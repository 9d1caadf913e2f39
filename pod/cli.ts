import { main } from '@infra/shared/cli/main'
import pod from './commands/index.ts'

await main(pod)
