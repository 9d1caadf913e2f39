import { resolve } from 'node:path'
import { problemFailure } from '@infra/shared/cli/session'
import { loadEnv } from '@infra/shared/env/load'
import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { folder } from './place.ts'
import { workspaces } from './tables.ts'

const home = '/nowhere/home'
const expanded = (text: string) => (/^[~/]/.test(text) ? resolve(text.replace(/^~(?=\/)/, home)) : text)

test('a remedy proposes neither the value that failed nor what is no value: every variable of every workspace', () => {
  const root = folder()
  for (const workspace of workspaces)
    for (const { name, type, meta } of variablesOf(workspace.schema))
      for (const value of [
        meta.example,
        meta.placeholder,
        expanded(meta.example),
        'x',
        '.',
        '/nowhere/at-all',
        '#!',
        '7',
      ]) {
        if (value === undefined) continue
        const processEnv = { HOME: home, [name]: value }
        const { problems = [] } = loadEnv({ schema: workspace.schema, root, processEnv, purpose: 'plan' })
        const mine = problems.filter(({ variable }) => variable === name)
        const { detail } = problemFailure(mine, { workspace, options: {} } as never)
        for (const line of detail) {
          const [, proposed] = /for example \w+=(.*)$/.exec(line) ?? []
          if (proposed === undefined) continue
          expect([name, value, expanded(proposed)]).not.toEqual([name, value, expanded(value)])
          const isValue = meta.path || type.safeParse(proposed).success
          expect([name, value, proposed, isValue]).toEqual([name, value, proposed, true])
        }
        expect([name, value, detail.some((line) => /(=|such as )\.\.\.$/.test(line))]).toEqual([name, value, false])
      }
})

test('of a key that is missing for ssh, the file is told to write its path into, of the environment in force', () => {
  const root = folder({ '.env.pod.staging': '' })
  const said = (name?: string) =>
    loadEnv({ schema: podSchema, root, processEnv: {}, purpose: 'plan', name }).problems?.find(
      ({ variable }) => variable === 'VALENCE_SSH_PUBKEY_FILE',
    )?.remedy
  expect(said()).toBe(
    'ssh-keygen -t ed25519 -f ~/.ssh/valence_pod makes a key; then in .env.pod: VALENCE_SSH_PUBKEY_FILE="~/.ssh/valence_pod.pub"',
  )
  expect(said('staging')).toMatch(
    /-f ~\/\.ssh\/valence_pod_staging makes .* in \.env\.pod\.staging: VALENCE_\w+="~.*_staging\.pub"$/,
  )
})
