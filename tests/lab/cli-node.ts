import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { cliNode } from '../support/cli.ts'
import { nodeFolders } from './node-versions.ts'
import { missing } from './prerequisites.ts'

// Loaded before each suite of the lab. A Node that strips types itself starts the command line in a third of the processor
// time that one needs which has to translate them: two thirds of a second of each run. Where that is the Node of the tests,
// as in CI, these suites run it all the same, so that it is tried by every command; the others run the current LTS.
const byOwnNode = /^(pod|cluster|stoat)-(deploy|commands)|^(droplet|doks|self|node-versions)\./

const suite = basename(expect.getState().testPath ?? '')
const stripsTypes = Boolean(Reflect.get(process.features, 'typescript'))
if (!stripsTypes && !byOwnNode.test(suite) && missing('nodes').length === 0)
  cliNode.path = join((await nodeFolders()).node24, 'node')
