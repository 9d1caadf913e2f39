import { main } from '@infra/shared/cli/main'
import stoat from './commands/index.ts'

await main(stoat)
