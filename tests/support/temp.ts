import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new empty folder. It goes away with the run of the tests (`temporary-files.ts`). */
export const tempFolder = (): string => mkdtempSync(join(process.env.TEST_FILES ?? tmpdir(), 'infra-test-'))
