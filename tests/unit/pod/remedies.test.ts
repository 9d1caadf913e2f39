import { plainText } from '@infra/shared/command/command'
import { collect } from '@infra/shared/engine/declaration'
import type { Decision } from '@infra/shared/engine/step'
import type { ConfigFile } from '@infra/shared/facts/synapse/config'
import { synapseConfigAdopted, synapseDropInsApart } from '@infra/shared/steps/synapse/config'
import { synapseIdentity } from '@infra/shared/steps/synapse/synapse'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { type Found, judge, type Manifest } from '../../../pod/commands/restore-judge.ts'
import { decidedSettings } from '../../../pod/env/synapse.ts'
import pod from '../../../pod/pod.ts'
import { type Leftover, synapseMoved } from '../../../pod/synapse/move.ts'
import { settingsBefore } from '../../../pod/synapse/synapse.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'
import { file, place } from '../steps/synapse/config-file.ts'
import { told } from '../steps/told.ts'

const on = blank('a host')
const none = { pending: [] }

/** The remedy of a decision that must be a refusal. */
function remedyOf(decision: Decision | undefined): string {
  if (decision?.kind !== 'refused') throw new Error('not refused')
  return decision.remedy
}

/** What the step of this id decides on a new host, with these variables in .env.pod; undefined where it is not there. */
function decided(id: string, variables: Readonly<Record<string, string>>): Decision | undefined {
  const { env, problems } = loadPod({ '.env.pod': podFile(variables) })
  expect(problems).toBeUndefined()
  const steps = collect(pod.scripts, { env, host: on, pins: '/pins' } as never).flatMap((script) => script.steps)
  return steps.find((step) => step.id === id)?.plan({} as never, none)
}

describe('the variable that a remedy names leads out:', () => {
  const timer = {
    VALENCE_BACKUP_TIMER: 'true',
    VALENCE_SSH_PUBKEY:
      'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIEvs0jYDX1Kh4dIHfJ0oC6TJ9cmDHqBoCVxqdDfbVvdUAAAABHNzaDo= a@b',
  }
  test('somebody to encrypt backups to', () => {
    const id = 'recipient of backups'
    const [, variable = ''] = remedyOf(decided(id, timer)).match(/^Set (\w+); age-keygen makes a key for it\.$/) ?? []
    const recipient = 'age1hyq4mgaw28y7rpm3kfdz56ay68w3khkegaaqnxnhktra9snxlsvs0m5eul'
    expect(decided(id, { ...timer, [variable]: recipient })).toBeUndefined()
  })

  test.each(['root', 'admin', 'VALENCE_SUDO=full'])('another way in than by the sudo of valence: %s', (way) => {
    const id = 'way in as root'
    const remedy = remedyOf(decided(id, { VALENCE_SSH_USER: 'valence' }))
    const [name = '', value = ''] = way.includes('=') ? way.split('=') : ['VALENCE_SSH_USER', way]
    expect(remedy).toContain(way.includes('=') ? way : name)
    expect(decided(id, { VALENCE_SSH_USER: 'valence', [name]: value })).toBeUndefined()
  })
})

describe('an archive that does not belong on this host', () => {
  const manifest: Manifest = {
    format: 2,
    server_name: 'pod.example.com',
    made: '2026-11-24T15:30:00Z',
    versions: { os: 'Debian', synapse: null, valence: null, postgresql: 16 },
    rows: {},
  }
  const host: Found = { server_name: null, tables: 0, files: 0, postgresql: 16, roles: ['synapse', 'valence'] }
  /** The remedy, or undefined where it is taken. */
  const judged = (
    archive: Partial<Manifest>,
    found: Partial<Found>,
    domain = 'pod.example.com',
  ): string | undefined => {
    try {
      judge({ ...manifest, ...archive }, { ...host, ...found }, domain)
      return undefined
    } catch (error) {
      return (error as { remedy?: string }).remedy
    }
  }
  const setting = (remedy = '', name: 'VALENCE_DOMAIN' | 'VALENCE_POSTGRES_VERSION') => {
    const [, value = ''] = remedy.match(new RegExp(`${name}=(\\S+) `)) ?? []
    return loadPod({ '.env.pod': podFile({ [name]: value }) }).env?.[name]
  }

  test('goes onto a pod of its name', () => {
    const remedy = judged({}, {}, 'other.example.com')
    expect(judged({}, {}, String(setting(remedy, 'VALENCE_DOMAIN')))).toBeUndefined()
  })
  test.each([17, 18])('goes onto one with its PostgreSQL (%i)', (postgresql) => {
    const archive = { versions: { ...manifest.versions, postgresql } }
    const version = setting(judged(archive, {}), 'VALENCE_POSTGRES_VERSION')
    expect(judged(archive, { postgresql: Number(version) })).toBeUndefined()
  })
  test('goes onto the right machine', () => {
    expect(judged({}, { server_name: 'other.example.com' })).toContain('VALENCE_POD_IP')
    expect(judged({}, { server_name: 'pod.example.com' })).toBeUndefined()
  })
  test.each([1, 2])('goes onto one that was deployed (format %i)', (format) => {
    expect(judged({ format }, { roles: [] })).toBe('npm run deploy -w pod comes first.')
    const roles = collect(pod.scripts, {
      env: loadPod({ '.env.pod': podFile() }).env,
      host: on,
      pins: '/pins',
    } as never)
      .flatMap(({ steps }) => steps.map(({ id }) => id))
      .flatMap((id) => id.match(/^postgres\.role (\S+)$/)?.[1] ?? [])
    expect(judged({ format }, { roles })).toBeUndefined()
  })
})

describe("Synapse's settings", () => {
  const toExtra = /Move what shall stay into your own file, named by SYNAPSE_EXTRA_CONFIG_FILE, and /
  const said = ['server_name', 'database', 'listeners']
  const other = (path: string, keys: readonly string[]): ConfigFile => ({ ...file({}, path), keys })
  const homeserver = '/etc/matrix-synapse/homeserver.yaml'
  const settings = {
    password_config: '{pepper: taken-from-nobody}',
    turn_uris: '["turn:turn.example.org"]',
    email: '{smtp_host: mail.example.org}',
    app_service_config_files: '[/etc/bridge.yaml]',
  }
  /** The user's own file takes what the remedy moves into it. */
  function expectMovable(names: readonly string[]): void {
    const text = names.map((name) => `${name}: ${settings[name as keyof typeof settings]}\n`).join('')
    const { env, problems } = loadPod({
      '.env.pod': podFile({ SYNAPSE_EXTRA_CONFIG_FILE: './extra.yaml' }),
      'extra.yaml': text,
    })
    expect(problems).toBeUndefined()
    expect(env?.SYNAPSE_EXTRA_CONFIG_FILE?.names).toEqual(names)
  }

  test('of a drop-in that also says what the deployment says go into the own file', () => {
    const path = '/etc/matrix-synapse/conf.d/mine.yaml'
    const step = synapseDropInsApart(on, said)
    const files = [other(path, ['database', 'email', 'turn_uris'])]
    const decision = step.plan({ files }, none)
    expect(remedyOf(decision)).toMatch(new RegExp(`${toExtra.source}remove ${path}\\.$`))
    expectMovable(
      told(decision)[0]
        ?.match(/and also (.*)$/)?.[1]
        ?.split(', ') ?? [],
    )
    expect(told(step.plan({ files: [] }, none))).toEqual(['= no setting is set twice'])
  })

  test('of a homeserver.yaml that somebody else wrote go into the own file', () => {
    const step = synapseConfigAdopted(on, { ...settingsBefore, said, content: plainText('') })
    const plan = (...keys: string[]) =>
      step.plan({ files: [other(homeserver, keys)], now: { sha256: 'a' }, copy: null, changed: [] } as never, none)
    const decision = plan('server_name', 'pid_file', ...Object.keys(settings))
    expect(remedyOf(decision)).toMatch(
      new RegExp(`${toExtra.source}take the rest of these names out of ${homeserver}\\.$`),
    )
    const lost =
      told(decision)[0]
        ?.match(/lost: (.*)$/)?.[1]
        ?.split(', ') ?? []
    expect(lost).toEqual(Object.keys(settings))
    expectMovable(lost)
    expect(told(plan('server_name', 'pid_file'))[0]).toMatch(/^\+ .* a copy of what somebody else wrote/)
    // What the own file may not say is said by the deployment, or refused with a remedy of its own: it is never moved.
    const step2 = synapseDropInsApart(on, Object.keys(decidedSettings))
    expect(told(step2.plan({ files: [other('/x.yaml', Object.keys(decidedSettings))] }, none))[0]).toMatch(/^- /)
  })

  const identity = synapseIdentity(on, 'pod.example.org', { ...place, media: '/m' })
  const asked = { servers: [], serversBefore: [], link: undefined }
  const mine = '/etc/matrix-synapse/conf.d/mine.yaml'
  test.each([
    ['no module yaml', 'apt-get install python3-yaml', [file({})]],
    ['not YAML (line 3)', 'Mend it', [file({}), file({}, mine)]],
    ['not YAML (line 3)', 'move it out of /etc/matrix-synapse', [file({})]],
  ])('that cannot be read (%s): %s', (unread, words, after) => {
    const files = [file({}), { ...file({}, mine), unread }]
    expect(remedyOf(identity.plan({ ...asked, files } as never, none))).toContain(words)
    expect(told(identity.plan({ ...asked, files: after } as never, none))).toEqual(['= no other server here'])
  })
})

describe("Synapse's tables", () => {
  const shared = { name: 'psycopg2', user: 'valence', dbname: 'valence', host: 'localhost' }
  const files = [{ ...file({}), keys: ['database'], database: shared }]
  const some: Leftover = { tables: 176, short: null, ties: [], target: 'empty', recorded: false, copy: null }
  const { plan } = synapseMoved(on, { content: plainText('x'), dependsOn: [] })
  test.each<[RegExp, Partial<Leftover>]>([
    [/^Remove what ties them, or give them to role valence\./, { ties: ['a view'] }],
    [/^npm run deploy -w pod, or npm run deploy -w pod -- --tags postgresql,synapse$/, { target: 'absent' }],
    [/ALTER DATABASE synapse RENAME TO synapse_other\./, { target: 'filled' }],
    [/^Make room on the host: npm run status -w pod$/, { short: { needed: 3, free: 5 } }],
  ])('%s', (remedy, now) => {
    expect(remedyOf(plan({ files, now: { ...some, ...now } }, none))).toMatch(remedy)
    expect(told(plan({ files, now: some }, none))).toEqual([expect.stringMatching(/^~ Synapse's 176 tables/)])
  })
  test('are found by the tags that the remedy names', () => {
    const remedy = remedyOf(plan({ files, now: { ...some, target: 'absent' } }, none))
    const tags = remedy.match(/--tags (\S+)$/)?.[1]?.split(',') ?? []
    const names = pod.scripts.map(({ name }) => name.replace(/^\d+-/, ''))
    expect(names).toEqual(expect.arrayContaining(tags))
    expect(tags).toContain('postgresql')
  })
})
