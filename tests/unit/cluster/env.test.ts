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

test.each<[password: string, message: string | RegExp | undefined]>([
  ['q7Xw-2mKp_9vTz.LhB4', undefined],
  ['q7Xw/2mKp@9vTz:LhB4', 'holds characters that have a meaning in the URL of a Redis'],
  ['q7Xw-2mKp_9v', /at least 16/],
  ['redis-password-2026', /too simple|tried first/],
])('the password of Redis may be %s: %s', (password, message) => {
  const { problems = [] } = loadEnv({ schema: clusterSchema, root: folder, processEnv: { REDIS_PASSWORD: password } })
  const found = problems.find(({ variable }) => variable === 'REDIS_PASSWORD')?.message
  if (message === undefined) expect(found).toBeUndefined()
  else expect(found).toMatch(message)
})
