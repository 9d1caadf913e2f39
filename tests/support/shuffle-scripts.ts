import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Workspace } from '@infra/shared/cli/workspace'
import { shuffled } from './shuffle.ts'

// WORKSPACE ORDER FILE [ARGUMENTS]: runs the file, with the steps of the workspace's scripts in another order. Started by
// the option `shuffle` of startCli.
const [node = '', , name = '', order = '', file = '', ...args] = process.argv
const { default: workspace } = (await import(
  pathToFileURL(join(import.meta.dirname, '../..', name, `${name}.ts`)).href
)) as {
  default: Workspace
}
for (const script of workspace.scripts) {
  const { steps } = script
  Object.assign(script, {
    steps: (context: unknown) => shuffled(steps(context), order === 'last' ? order : Number(order)),
  })
}
process.argv = [node, file, ...args]
await import(pathToFileURL(file).href)
