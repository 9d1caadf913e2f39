import { isDeepStrictEqual } from 'node:util'
import { askUser } from '@infra/shared/command/as-user'
import { digestText, type Output } from '@infra/shared/command/command'
import { redact } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { type Check, check, type Finding, fail, ok } from '@infra/shared/engine/check'
import { fileDigest } from '@infra/shared/facts/host/file'
import { jsonEntries } from '@infra/shared/facts/host/json-entry'
import { packageState } from '@infra/shared/facts/host/python-package'
import { unitState } from '@infra/shared/facts/host/systemd'
import { schemaState } from '@infra/shared/facts/postgres/schema'
import { type TableState, tableState } from '@infra/shared/facts/postgres/tables'
import { difference } from '@infra/shared/steps/host/python-package'
import type { PodContext } from '../context.ts'
import { packagePlace, repository, user } from '../valence/valence.ts'
import { claudeServers, coreColumns, mcpServer, vkbEnv, vkbSchema, vkbVariables } from '../valence/vkb.ts'

const again = 'npm run deploy -w pod -- --tags vkb'

/** What the script `vkb` leaves behind, seen from inside the host. */
export const vkbChecks = ({ env, host }: PodContext): readonly Check[] => [
  check(host, {
    id: 'vkb.package',
    about: 'package valence, from the repository',
    remedy: again,
    ask: { now: packageState('valence', packagePlace(env)) },
    judge({ now }) {
      const differs = difference(now, repository)
      return differs ? fail(differs) : ok(now.installed?.version ?? '')
    },
  }),
  check(host, {
    id: 'vkb.env',
    about: `${vkbEnv}, which only ${user} can read`,
    remedy: again,
    ask: { now: fileDigest(vkbEnv, user) },
    judge({ now }) {
      if (!now) return fail('absent')
      const is = `${now.mode} ${now.owner}`
      if (is !== `0600 ${user}`) return fail(is)
      return now.sha256 === digestText(vkbVariables(env)) ? ok(is) : fail('it says other things than the environment')
    },
  }),
  check(host, {
    id: 'vkb.schema',
    about: 'the schema of the repository, whole',
    remedy: again,
    ask: { now: schemaState('vkb', vkbSchema) },
    judge({ now }) {
      if (now.lacks) return fail(`no ${now.lacks}`)
      if (now.missing.length > 0) return fail(`missing: ${now.missing.join(', ')}`)
      if (now.applied !== now.digest)
        return fail(now.applied ? 'the files differ from what was applied' : 'not applied')
      return now.strange.length > 0 ? fail(`not of ${user}: ${now.strange.join(', ')}`) : ok(now.digest.slice(0, 7))
    },
  }),
  check(host, {
    id: 'vkb.tables',
    about: 'tables and columns of the knowledge base; beliefs can be read',
    remedy: `${again}; a table with other columns is never changed: see Database in the runbook`,
    ask: { now: tableState(vkbSchema.database, user, 'beliefs') },
    judge: ({ now }) => judgeTables(now),
  }),
  {
    id: 'vkb.health',
    about: 'the MCP server finds all that it needs',
    remedy: `${again}; on the host: sudo -u ${user} bash -c 'source ${vkbEnv} && ${mcpServer('valence.substrate.mcp_server')} --health-check'`,
    // Beside the other questions: Python needs seconds to read what the real Valence imports.
    probe: async () => judgeHealth((await askOf(host, { said: { command: health, parse: (answer) => answer } })).said),
  },
  check(host, {
    id: 'vkb.service',
    about: 'vkb.service is there, and not started by itself',
    remedy: again,
    ask: { unit: unitState('vkb.service') },
    judge({ unit }) {
      if (!unit.exists) return fail('absent')
      const is = `${unit.enabled}, ${unit.active}`
      return unit.enabled === 'disabled' && !unit.outdated ? ok(is) : fail(unit.outdated ? 'not read by systemd' : is)
    },
  }),
  check(host, {
    id: 'vkb.claude',
    about: `Claude Code of ${user} knows the MCP servers`,
    remedy: again,
    ask: { now: jsonEntries(user, '~/.claude.json', 'mcpServers', claudeServers) },
    judge: ({ now }) =>
      isDeepStrictEqual(now.entries, claudeServers)
        ? ok(Object.keys(claudeServers).join(', '))
        : fail(now.kind === 'object' ? 'other entries' : now.kind),
  }),
]

/** Seconds that the server's own check may take: on one busy processor the imports of the real Valence take twenty. */
const healthSeconds = 45

// -B by its variable: a check writes no byte code.
const health = askUser(
  user,
  `export PYTHONDONTWRITEBYTECODE=1; . "$1" && exec ${mcpServer('valence.substrate.mcp_server')} --health-check`,
  [vkbEnv],
  healthSeconds,
)

/** Every table that the servers need has the columns that they use, and beliefs can be read. */
export function judgeTables({ columns, readable }: TableState): Finding {
  const tables = Object.keys(columns)
  const own = tables.filter((name) => name.startsWith('vkb_'))
  const lacking = Object.entries(coreColumns).flatMap(([table, names]) => {
    const found = columns[table]
    if (!found) return [`no table ${table}`]
    return names.filter((name) => !found.includes(name)).map((name) => `no column ${table}.${name}`)
  })
  if (lacking.length > 0) return fail(lacking.slice(0, 5).join(', '))
  return readable ? ok(`${tables.length} tables, ${own.length} of them vkb_*`) : fail('beliefs cannot be read')
}

/** What the server's own check says on stdout (cli_health_check of Valence's core/health.py), or Python's last words. */
export function judgeHealth({ code, stdout, stderr }: Output): Finding {
  if (code === 0) return ok('healthy')
  const told = stdout.match(/^Error: (.+)/m)?.[1]
  return fail(redact(told ?? stderr.trim().split('\n').at(-1) ?? '') || `exit code ${code}`)
}
