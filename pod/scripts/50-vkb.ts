import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { directory, file } from '@infra/shared/steps/host/file'
import { jsonFileEntries } from '@infra/shared/steps/host/json-entry'
import { editablePackage } from '@infra/shared/steps/host/python-package'
import { unitFile } from '@infra/shared/steps/host/unit-file'
import { postgresExtension } from '@infra/shared/steps/postgres/postgres'
import { postgresSchema } from '@infra/shared/steps/postgres/schema'
import type { PodContext } from '../context.ts'
import { packagePlace, repository, user, venvPath } from '../valence/valence.ts'
import { claudeServers, configFolder, vkbEnv, vkbSchema, vkbUnit, vkbVariables } from '../valence/vkb.ts'

// Steps of the script before, by id.
const checkout = `repository ${repository}`

export default script(
  'vkb',
  { about: 'the Valence knowledge base: package, settings, database schema, MCP servers for Claude Code' },
  ({ env, host }: PodContext, add) => {
    const valence = add(
      editablePackage(host, 'valence', {
        ...packagePlace(env),
        comesFrom: 'npm run deploy -w pod -- --tags common',
        dependsOn: [checkout, `venv ${venvPath}`],
      }),
    )
    const folder = add(directory(host, configFolder, { owner: user, mode: '0750' }))
    const settings = add(
      file(host, vkbEnv, {
        content: vkbVariables(env),
        owner: user,
        mode: '0600',
        names: 'variables',
        dependsOn: [folder],
      }),
    )
    const uuid = add(postgresExtension(host, 'valence', 'uuid-ossp'))
    add(
      postgresSchema(host, 'vkb', {
        ...vkbSchema,
        comesFrom: 'npm run deploy -w pod -- --tags common,postgresql',
        dependsOn: [checkout, uuid],
      }),
    )
    add(unitFile(host, 'vkb.service', { content: vkbUnit, boot: false, dependsOn: [valence, settings] }))
    add(
      jsonFileEntries(host, '~/.claude.json', {
        user,
        group: 'mcpServers',
        entries: claudeServers,
        plain: ['type', 'command'],
        dependsOn: [valence],
      }),
    )
  },
)

standalone(import.meta.url)
