import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { commandsOf, type Entry } from '@infra/shared/cli/help'
import { parseCall } from '@infra/shared/cli/options'
import { runCommand } from '@infra/shared/cli/run'
import type { Signals } from '@infra/shared/cli/signals'
import type { Event } from '@infra/shared/engine/events'
import { withResults } from '@infra/shared/report/outlet'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import provision from '../../../pod/provision/commands.ts'
import stoat from '../../../stoat/commands/index.ts'
import { plainEnv } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { podSecrets } from '../env/place.ts'

type Variables = Readonly<Record<string, string>>

// Nothing listens there.
const nowhere = 'http://127.0.0.1:2'

// DigitalOcean is asked again for a while where nobody answers: this one lets nobody in.
const server = createServer((_, answer) => void answer.writeHead(401, { 'content-type': 'application/json' }).end('{}'))
const denying = await new Promise<string>((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
})
afterAll(() => void server.close())
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: none, cluster: { server: '${nowhere}' } }]
users: [{ name: none, user: {} }]
contexts: [{ name: none, context: { cluster: none, user: none } }]
`
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA me@here'

const address = { VALENCE_POD_IP: '127.0.0.1' }
const domain = { VALENCE_DOMAIN: 'chat.example.org' }
const wholePod = {
  ...domain,
  LETSENCRYPT_EMAIL: 'ops@example.org',
  VALENCE_SSH_PUBKEY: publicKey,
  ...podSecrets,
}
const droplet = { DIGITALOCEAN_TOKEN: 'dop_v1_Gf3kQz9LwX2mTr7Vn', ...domain, VALENCE_SSH_PUBKEY: publicKey }
const wholeCluster = {
  DISCORD_TOKEN: 'Gf3kQz9LwX2mTr7Vn.'.repeat(4),
  DISCORD_BOT_ID: '1331474398296727582',
  DISCORD_GUILD_ID: '1007381699346301038',
  LITELLM_API_KEY: 'sk-Gf3kQz9LwX2mTr7VnHc8',
}
const wholeStoat = { STOAT_DOMAIN: 'stoat.example.org' }

/** How a command is called, what it must have, and how it ends where its targets cannot be reached. */
type Row = readonly [words: readonly string[], needs: Variables, ends: string | number]

/** Those that evaluate all of an environment. */
const ofWhole = ['validate', 'plan', 'deploy', 'verify', 'graph', 'adopt']

const key = ['--identity', '/dev/null']
const unreachable = 'unreachable'

const table: readonly (readonly [Entry, Variables, Readonly<Record<string, Row>>])[] = [
  [
    pod,
    { VALENCE_SSH_PORT: '2' },
    {
      validate: [[], { ...address, ...wholePod }, 0],
      plan: [[], wholePod, 0],
      deploy: [['--yes'], { ...address, ...wholePod }, unreachable],
      verify: [[], { ...address, ...wholePod }, unreachable],
      unlock: [['--yes'], address, unreachable],
      // It evaluates all that a plan does.
      graph: [[], wholePod, 0],
      history: [[], address, unreachable],
      status: [[], { ...address, ...domain }, unreachable],
      logs: [['nginx'], address, unreachable],
      ssh: [['true'], address, unreachable],
      psql: [['select 1'], address, unreachable],
      backup: [['--key', publicKey], { ...address, ...domain }, unreachable],
      restore: [['none.age', ...key], { ...address, ...domain }, 'there is no'],
    },
  ],
  [
    provision,
    { DIGITALOCEAN_API_URL: denying },
    {
      validate: [[], droplet, 0],
      plan: [[], droplet, unreachable],
      deploy: [['--yes'], droplet, unreachable],
      verify: [[], droplet, unreachable],
    },
  ],
  [
    cluster,
    {},
    {
      validate: [[], wholeCluster, 0],
      plan: [[], wholeCluster, unreachable],
      deploy: [['--yes'], wholeCluster, unreachable],
      verify: [[], wholeCluster, unreachable],
      unlock: [['--yes'], {}, unreachable],
      // It evaluates all that a plan does.
      graph: [[], wholeCluster, 0],
      history: [[], {}, unreachable],
      output: [[], {}, unreachable],
      status: [[], {}, 1],
      logs: [['bot'], {}, unreachable],
      restart: [['bot', '--yes'], {}, unreachable],
      images: [[], {}, unreachable],
      destroy: [['--yes'], {}, unreachable],
    },
  ],
  [
    stoat,
    {},
    {
      validate: [[], wholeStoat, 0],
      plan: [[], wholeStoat, unreachable],
      deploy: [['--yes'], wholeStoat, unreachable],
      verify: [[], wholeStoat, unreachable],
      unlock: [['--yes'], {}, unreachable],
      // It evaluates all that a plan does.
      graph: [[], wholeStoat, 0],
      history: [[], {}, unreachable],
      output: [[], wholeStoat, unreachable],
      status: [[], {}, unreachable],
      logs: [['api'], {}, unreachable],
      restart: [['api', '--yes'], {}, unreachable],
      'port-forward': [['rabbitmq'], {}, unreachable],
      invite: [[], {}, unreachable],
      'make-admin': [['somebody', '--yes'], {}, unreachable],
      // It ends where deploy goes on, Stoat stopped: the environment must do for that.
      adopt: [['--yes'], wholeStoat, unreachable],
      backup: [['--key', publicKey], wholeStoat, unreachable],
      restore: [['none.age', ...key], wholeStoat, 'there is no'],
      drill: [['none.age', ...key], wholeStoat, 'there is no'],
      destroy: [['--yes'], wholeStoat, unreachable],
      'show-keys': [[], {}, unreachable],
    },
  ],
]

const rows = table.flatMap(([entry, base, commands]) =>
  Object.entries(commands).map(([command, row]) => ({ entry, name: entry.npm ?? entry.name, base, command, row })),
)

const signals: Signals = { hold() {}, release() {}, stopping: () => false, code: () => undefined, close() {} }

const before = process.env
afterEach(() => {
  process.env = before
})

/** Runs a command with an environment that holds these variables alone; gives its exit code and what it failed of. */
async function run(entry: Entry, command: string, words: readonly string[], variables: Variables) {
  const root = tempFolder()
  mkdirSync(join(root, '.kube'))
  writeFileSync(join(root, '.kube/config'), kubeconfig)
  process.env = { ...plainEnv(), HOME: root, INFRA_ROOT: root, ...variables }
  const events: Event[] = []
  const { default: workspace } = await entry.load()
  // Somebody set it up: there are no sample values then.
  writeFileSync(join(root, `.env.${workspace.name}`), '', { mode: 0o600 })
  const call = parseCall(command, words, entry)
  const emit = (event: Event) => void events.push(event)
  let code = -1
  await withResults(
    () => {},
    async () => {
      code = await runCommand({ entry, workspace, command, call, emit, signals })
    },
  )
  const failure = events.find((event) => event.type === 'failure')
  return { code, kind: failure?.kind, said: [failure?.message, ...(failure?.detail ?? [])].join('\n') }
}

/** What leads to the targets, of which nobody answers: every workspace may have it in the file of all. */
const ways = {
  KUBECONFIG: '~/.kube/config',
  KUBE_CONTEXT: 'none',
  AWS_ENDPOINT_URL: nowhere,
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab',
}

describe('no command demands more variables than it needs', () => {
  test.each(table.map(([entry, , commands]) => ({ name: entry.npm ?? entry.name, entry, commands })))(
    'each command of $name is in the table',
    ({ entry, commands }) => {
      expect(Object.keys(commands).sort()).toEqual(Object.keys(commandsOf(entry)).sort())
    },
  )

  test.each(rows)('$name $command does with the least', async ({ entry, base, command, row: [words, needs, ends] }) => {
    const { code, kind, said } = await run(entry, command, words, { ...ways, ...base, ...needs })
    expect(said).not.toContain('the environment of')
    if (typeof ends === 'number') expect([code, said]).toEqual([ends, ''])
    else if (ends === unreachable) expect([kind, said]).toEqual([unreachable, said])
    else expect(said).toContain(ends)
  })

  const lacking = rows.flatMap((row) => Object.keys(row.row[1]).map((variable) => ({ ...row, variable })))
  test.each(lacking)(
    '$name $command names $variable where it is missing',
    async ({ entry, base, command, row: [words, needs], variable }) => {
      const { [variable]: _, ...others } = needs as Record<string, string>
      const { code, said } = await run(entry, command, words, { ...ways, ...base, ...others })
      expect([code, said]).toEqual([1, expect.stringContaining('the environment of')])
      expect(said).toMatch(new RegExp(`^${variable.replace(/_SSH_PUBKEY$/, '_SSH_PUBKEY_FILE')} is not set`, 'm'))
      const [, asks] = said.match(/ is not set, and (\S+) needs it/) ?? []
      const named = command === 'deploy' ? (entry.npm ?? command) : command
      // What every deployment must have is simply not set.
      expect(ofWhole.includes(command) ? [undefined, named] : [named]).toContain(asks)
    },
  )
})
