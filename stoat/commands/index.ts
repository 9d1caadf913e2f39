import { dirname } from 'node:path'
import type { Entry } from '@infra/shared/cli/help'

/** Stoat's command line: every command that only it has, with its options and where it is. */
const stoat: Entry = {
  name: 'stoat',
  about: 'the environment of the Stoat chat platform: its secrets made and judged',
  folder: dirname(import.meta.dirname),
  sharedCommands: ['validate'],
  load: () => import('../stoat.ts'),
}

export default stoat
