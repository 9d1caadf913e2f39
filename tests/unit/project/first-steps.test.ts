import { sampleEnv } from '@infra/shared/env/sample'
import { expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { nextSteps } from '../../../pod/next.ts'
import { podUsers } from '../../../pod/synapse/synapse.ts'
import { claude, user } from '../../../pod/valence/valence.ts'
import { claudeServers } from '../../../pod/valence/vkb.ts'
import { schemas } from '../env/tables.ts'
import { textOf } from './pages.ts'

const page = textOf('docs/first-steps.md')

test('what is done by hand is told by the names that the deployment uses', () => {
  const env = sampleEnv(podSchema)
  const servers = Object.keys(claudeServers).map((name) => `\`${name}\``)
  expect(page).toContain(`\`/mcp\` lists ${servers.join(' and ')}`)
  expect(page).toContain(`Sign in as \`${podUsers(env)[0]?.name}\` with \`SYNAPSE_ADMIN_PASSWORD\``)
  expect(page).toContain(`${user}@$VALENCE_POD_IP`)
  expect(page).toContain(`Type \`${claude.split('/').at(-1)}\``)
  // What a deploy says at its end, and the page, name the same.
  for (const name of ['SYNAPSE_ADMIN_PASSWORD', 'npm run ssh -w pod', `sudo -iu ${user}`, '/login'])
    expect([page, nextSteps(env).join('\n')].filter((text) => !text.includes(name))).toEqual([])
})

test('its variables are variables', () => {
  const known = schemas.flatMap(({ variables }) => Object.keys(variables))
  const named = [...page.matchAll(/\b(?:VALENCE|SYNAPSE|STOAT|DIGITALOCEAN)_[A-Z_]+\b/g)].map(([name]) => name)
  expect(named.length).toBeGreaterThan(8)
  expect(named.filter((name) => !known.includes(name))).toEqual([])
})
