import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadEnv } from '@infra/shared/env/load'
import { expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder()
const file = join(folder, 'recipe')
writeFileSync(file, '')

test.each<[set: Record<string, string>, variable: string, message: string | undefined]>([
  [{ BOT_PACKER_TEMPLATE: file }, 'BOT_PACKER_TEMPLATE', 'needs BOT_CONTEXT as well'],
  [{ BOT_DOCKERFILE: file }, 'BOT_DOCKERFILE', 'needs BOT_CONTEXT as well'],
  [{ BOT_PACKER_TEMPLATE: file, BOT_CONTEXT: folder }, 'BOT_PACKER_TEMPLATE', undefined],
  [{ BOT_DOCKERFILE: file, BOT_CONTEXT: folder }, 'BOT_DOCKERFILE', undefined],
  [{ BOT_CONTEXT: folder }, 'BOT_CONTEXT', undefined],
])('a recipe of the bot’s image goes with the folder of what it is made of: %o', (set, variable, message) => {
  const { problems = [] } = loadEnv({ schema: clusterSchema, root: folder, processEnv: set })
  const found = problems.find((one) => one.variable === variable)
  expect(found?.message).toBe(message)
  if (message) expect(found?.remedy).toContain('Set BOT_CONTEXT to the folder of all that the image is made of')
})
