import { readFileSync } from 'node:fs'
import type { Decision } from '@infra/shared/engine/step'
import { type AccessRule, accessState } from '@infra/shared/facts/postgres/postgres'
import { certificate } from '@infra/shared/steps/host/certificate'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { timezone } from '@infra/shared/steps/host/timezone'
import { postgresAccess } from '@infra/shared/steps/postgres/access'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import { postgresSchema } from '@infra/shared/steps/postgres/schema'
import { schemaFits } from '@infra/shared/steps/postgres/schema-fits'
import { synapseSigningKey } from '@infra/shared/steps/synapse/signing-key'
import { synapseIdentity, synapseOrigin } from '@infra/shared/steps/synapse/synapse'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'
import { file, place } from './synapse/config-file.ts'
import { told } from './told.ts'

const on = blank('a host')
const none = { pending: [], earlierChanges: false }

/** The remedy of a decision that must be a refusal. */
function remedyOf(decision: Decision): string {
  if (decision.kind !== 'refused') throw new Error(`not refused: ${told(decision)}`)
  return decision.remedy
}

/** The assignment in a remedy, which the pod's environment must take. */
function setting(remedy: string, name: 'VALENCE_DOMAIN' | 'VALENCE_POSTGRES_VERSION' | 'SYNAPSE_INSTALL'): string {
  const [, value = ''] = remedy.match(new RegExp(`\\bSet ${name}=([^\\s,;]+)`)) ?? []
  const { env, problems } = loadPod({ '.env.pod': podFile({ [name]: value }) })
  expect(problems).toBeUndefined()
  return String(env?.[name])
}

describe('the variable that a remedy sets leads out:', () => {
  const media = '/var/lib/matrix-synapse/media'
  const identity = (name: string) => synapseIdentity(on, name, { ...place, media })
  test.each([
    ['the files', { files: [file({ server_name: 'old.example.org' })] }],
    ['the database', { files: [], servers: ['old.example.org'] }],
    ['the database of both', { files: [], serversBefore: ['old.example.org'] }],
  ])('another server by %s', (_, now) => {
    const remedy = remedyOf(identity('pod.example.org').plan(now as never, none))
    expect(told(identity(setting(remedy, 'VALENCE_DOMAIN')).plan(now as never, none))[0]).toMatch(/^= /)
  })
  test.each(['old.example.org:8448', 'localhost', '192.0.2.1', 'Old.example.org'])(
    'no variable takes the server name %s',
    (name) => {
      const now = { files: [file({ server_name: name })] }
      expect(remedyOf(identity('pod.example.org').plan(now as never, none))).toBe(
        'Deploy pod.example.org on a host of its own.',
      )
      expect(loadPod({ '.env.pod': podFile({ VALENCE_DOMAIN: name }) }).env?.VALENCE_DOMAIN).not.toBe(name)
    },
  )

  const unit = 'matrix-synapse.service'
  test.each([
    ['pip', { packages: { 'matrix-synapse-py3': '1' }, file: null }, { packages: {}, file: null }],
    ['apt', { packages: {}, file: { type: 'file' } }, { packages: {}, file: null }],
  ] as const)('Synapse by another way than %s, or without it', (way, now, removed) => {
    const remedy = remedyOf(synapseOrigin(on, way, { unit }).plan(now as never, none))
    const other = setting(remedy, 'SYNAPSE_INSTALL') as 'apt' | 'pip'
    expect(told(synapseOrigin(on, other, { unit }).plan(now as never, none))).toEqual([`= ${other}`])
    // What else it offers takes away what it was refused for: the package without its settings, or the unit.
    expect(remedy).toMatch(
      way === 'pip'
        ? /: apt-get remove matrix-synapse-py3; /
        : /; rm -rf \/etc\/systemd\/system\/matrix-synapse\.service /,
    )
    expect(remedy).not.toMatch(/purge|\/etc\/matrix-synapse|\/var\/lib/)
    expect(told(synapseOrigin(on, way, { unit }).plan(removed as never, none))).toEqual([`= ${way}`])
  })

  const cluster = (version: number, name: string, port: number) => ({
    version: String(version),
    name,
    port,
    status: 'online',
  })
  const rest = {
    server: { exists: true, active: 'active', enabled: 'enabled', since: 0 },
    all: { exists: true, active: 'active', enabled: 'enabled', since: 0 },
    start: { type: 'file', mode: '0644', owner: 'postgres', group: 'postgres', content: 'auto\n' },
    running: 5432,
  }
  test.each([
    [17, cluster(15, 'main', 5432)],
    [17, cluster(15, 'shop', 5432)],
    [16, cluster(17, 'main', 5432)],
    [17, cluster(17, 'shop', 5432)],
  ])('cluster %i/main beside %o keeps the data', (version, other) => {
    const plan = (shall: number, ...found: object[]) =>
      told(postgresCluster(on, shall).plan({ found, ...rest } as never, none))
    const remedy = remedyOf(postgresCluster(on, version).plan({ found: [other], ...rest } as never, none))
    const [, held, name, named] = remedy.match(/\bpg_renamecluster (\d+) (\S+) (\w+)/) ?? []
    if (other.name === 'main') expect(named).toBeUndefined()
    else expect([held, name]).toEqual([other.version, other.name])
    const stays = other.version === String(version) ? version : Number(setting(remedy, 'VALENCE_POSTGRES_VERSION'))
    expect(plan(stays, { ...other, name: named ?? other.name })).toEqual(['= online, starts at boot'])
    if (Number(other.version) >= version) return
    // The other way: pg_upgradecluster gives the new one the port, and keeps the old one at another.
    const [, to, , from] = remedy.match(/pg_upgradecluster -v (\d+) (--rename main )?(\d+) \S+\. The old/) ?? []
    expect([to, from]).toEqual([String(version), other.version])
    expect(remedy).not.toMatch(new RegExp(`pg_dropcluster --stop ${other.version}`))
    expect(plan(version, cluster(version, 'main', 5432), { ...other, port: 5433 })).toEqual([
      '= online, starts at boot',
    ])
  })
})

describe('what a remedy says to write leads out:', () => {
  const text = readFileSync(new URL('recorded/postgres-17.txt', import.meta.url), 'utf8')
  test.each(['trust', 'password', 'md5', 'ident'])('a line of another file that lets in by %s', (method) => {
    const recorded = accessState.parse({ code: 0, stdout: text, stderr: '' })
    const found = recorded?.rules.find(({ type }) => type === 'host') as AccessRule
    const step = postgresAccess(on)
    const plan = (rule: AccessRule) =>
      step.plan({ now: recorded && { ...recorded, rules: [...recorded.rules, rule] } }, none)
    const stray = { ...found, file: '/etc/more.conf', line: 1, method }
    const [, better = ''] = remedyOf(plan(stray)).match(/^Change that line to (\S+) by hand\.$/) ?? []
    expect(plan({ ...stray, method: better }).kind).toBe('changes')
  })

  const archive = 'apt.postgresql.org/pub/repos/apt'
  test.each([
    ['URIs', { archives: ['apt.example.org/x'] }],
    ['Suites', { suites: ['bookworm-pgdg-testing'] }],
  ])('a source of apt without that of its %s', (word, left) => {
    const path = '/etc/apt/sources.list.d/own.sources'
    const mixed = {
      lines: [1, 4],
      archives: [archive, 'apt.example.org/x'],
      suites: ['bookworm-pgdg', 'bookworm-pgdg-testing'],
    }
    const base = { system: { codename: 'bookworm' }, now: null, fetched: [] }
    const plan = (source: object) =>
      pgdgSource(on, 16, { dependsOn: [] }).plan({ ...base, files: [{ path, sources: [source] }] } as never, none)
    expect(remedyOf(plan(mixed))).toContain(word)
    expect(told(plan({ ...mixed, ...left }))).toEqual(['+ source pgdg'])
  })

  const options = { names: ['pod.example.org'], certificate: 'pod.example.org', content: () => 'server {}\n' }
  const nginx = { version: '1.26.3', ipv6: true, stale: false, sites: [], listens: [], once: [], conflicts: [] }
  const unit = { exists: true, active: 'active', enabled: 'enabled', since: 1, outdated: false }
  const site = (more: object) =>
    nginxSite(on, 'pod', options).plan(
      {
        nginx: { ...nginx, ...more },
        site: null,
        enabled: undefined,
        unit,
        certificate: { names: options.names },
      } as never,
      none,
    )
  const [mine, theirs] = ['/etc/nginx/conf.d/a.conf', '/etc/nginx/conf.d/b.conf']
  const own = ['+ /etc/nginx/sites-available/pod', '+ site pod enabled', '~ nginx reloaded']
  test('a site of our names and of others, parted in either way', () => {
    const names = ['pod.example.org', 'shop.example.org']
    const [, taken, from, moved] =
      remedyOf(site({ sites: [{ path: mine, names }] })).match(
        /^Take (\S+) out of (\S+), or move (\S+) into a file of its own/,
      ) ?? []
    expect(from).toBe(mine)
    expect(told(site({ sites: [{ path: mine, names: names.filter((name) => name !== taken) }] }))).toEqual(own)
    const parted = [
      { path: mine, names: names.filter((name) => name !== moved) },
      { path: theirs, names: [moved ?? ''] },
    ]
    expect(told(site({ sites: parted }))).toEqual([own[0], `- site ${mine}`, ...own.slice(1)])
  })
  test('a site in a file that nginx reads by its name', () => {
    const there = { path: '/etc/nginx/nginx.conf', names: ['pod.example.org'], fixed: true }
    const [, taken] =
      remedyOf(site({ sites: [there] })).match(/^Take the server of (\S+) out of \/etc\/nginx\/nginx\.conf\.$/) ?? []
    expect(told(site({ sites: [{ ...there, names: there.names.filter((name) => name !== taken) }] }))).toEqual(own)
  })
  test('a configuration that nginx reads again', () => {
    expect(remedyOf(site({ broken: 'unexpected "}"' }))).toContain('nginx -t')
    expect(told(site({}))).toEqual(own)
  })

  test('a time zone from the list', () => {
    const plan = (zone: string, known: boolean) =>
      timezone(on, zone).plan({ now: { zone: 'Etc/UTC', known } } as never, none)
    expect(remedyOf(plan('Europe/Berlim', false))).toContain('timedatectl list-timezones')
    expect(told(plan('Europe/Berlin', true))).toEqual(['~ time zone Etc/UTC → Europe/Berlin'])
  })

  test('no directory of the authority', () => {
    const { env } = loadPod({ '.env.pod': podFile({}) })
    const now = {
      names: ['pod.example.org'],
      issuer: 'x',
      serial: '1',
      notBefore: 0,
      notAfter: Date.UTC(2026, 3, 1),
      due: false,
    }
    const renewal = `server = ${env?.ACME_DIRECTORY_URL}\nauthenticator = webroot\nwebroot_path = /w,\n[[webroot_map]]\npod.example.org = /w\n`
    const plan = (directory: string) =>
      certificate(on, 'pod.example.org', { email: '', webroot: '/w', directory, without: '' }).plan(
        { now: { ...now, renewal }, dns: null, notes: null } as never,
        none,
      )
    expect(remedyOf(plan('https://acme-staging-v02.api.letsencrypt.org/directory'))).toMatch(
      /^Leave ACME_DIRECTORY_URL unset\./,
    )
    expect(told(plan(env?.ACME_DIRECTORY_URL ?? ''))).toEqual(['= pod.example.org until 2026-04-01'])
  })
})

describe('the tables that are there keep what they hold', () => {
  const where = { database: 'valence', owner: 'valence', folder: '/repo/sql', files: ['a.sql'] }
  const schema = postgresSchema(on, 'vkb', { ...where, comesFrom: 'npm run deploy -w pod' })
  const state = { lacks: undefined, digest: 'aaaaaaaa', applied: undefined, missing: [], strange: [], columns: {} }
  const made = ['+ schema vkb of database valence']
  const plan = (now: object) => schema.plan({ now: { ...state, contents: [], ...now } }, none as never)
  test('once the folder has the files', () => {
    expect(remedyOf(plan({ lacks: '/repo/sql/a.sql' }))).toBe(
      'npm run deploy -w pod; or choose a ref of the repository that has it.',
    )
    expect(told(plan({ contents: ['CREATE TABLE IF NOT EXISTS a (id int);'] }))).toEqual(made)
  })
  test.each([
    ['with the columns that were added', ['id int, more int'], ['id', 'more']],
    ['with the ref that the tables are of', ['id int'], ['id']],
  ])('%s', (_, [columns], there) => {
    const contents = (list = '') => [`CREATE TABLE IF NOT EXISTS a (${list});`]
    expect(remedyOf(plan({ contents: contents('id int, more int'), columns: { a: ['id'] } }))).toMatch(
      /ref .*add the columns/,
    )
    expect(told(plan({ contents: contents(columns), columns: { a: there } }))).toEqual(made)
  })
  test('by the ref that is named', () => {
    const fits = (ref: string) =>
      schemaFits(on, 'vkb', { ...where, path: '/repo', checkout: { user: 'v', url: 'u', ref }, variable: 'REF' })
    const remedy = remedyOf(fits('v2').plan({ now: { lacking: ['a.more'], fits: 'v1', adds: 0 } } as never, none))
    const [, ref = ''] = remedy.match(/ REF=(\S+)\. /) ?? []
    expect(fits(ref).plan({ now: { lacking: [], fits: undefined } } as never, none).kind).toBe('converged')
  })
})

describe('the signing key', () => {
  const path = '/etc/matrix-synapse/homeserver.signing.key'
  const other = '/etc/matrix-synapse/old.signing.key'
  const config = '/etc/matrix-synapse/homeserver.yaml'
  const step = synapseSigningKey(on, path, { ...place, user: 'synapse', venv: '/opt/v' })
  const key = (sha256: string) => ({ mode: '0640', owner: 'root', group: 'synapse', sound: true, sha256 })
  const plan = (now: object) => step.plan({ files: [], keys: {}, servers: ['pod.example.org'], ...now } as never, none)

  test.each([undefined, path, other])(
    'that the configuration holds stays in use; beside it signing_key_path is %s',
    (named) => {
      const said = file(named === undefined ? {} : { signing_key_path: named })
      const inline = { ...said, keys: [...said.keys, 'signing_key'] }
      const keys = named === other ? { [other]: key('never used') } : {}
      const remedy = remedyOf(plan({ files: [inline], keys }))
      const [, to = ''] =
        remedy.match(/^Write its value into (\S+), chmod 600 it, and take signing_key out of \S+?(?:\.|,)/) ?? []
      const isTaken = remedy.includes(`, and signing_key_path out of ${config}.`)
      const followed = {
        files: [isTaken ? file({}) : said],
        keys: { ...keys, [to]: { ...key('in use'), mode: '0600', group: 'root' } },
      }
      // The key in that place is not replaced.
      expect(told(plan(followed))).toEqual([`~ ${path} 0600 root:root → 0640 root:synapse`])
    },
  )

  test.each([
    ['put back', { keys: { [path]: key('a') } }, ['= 0640 root:synapse']],
    ['of a server that never spoke, removed', { servers: [] }, [`+ signing key ${path}`]],
  ])('that is none: %s', (_, now, desired) => {
    expect(remedyOf(plan({ keys: { [path]: { ...key('a'), sound: false } } }))).toMatch(
      /^Put back the key .* remove the file\.$/,
    )
    expect(told(plan(now))).toEqual(desired)
  })

  test('that is lost, made anew by the command, or the one that is there named', () => {
    const [, made = ''] = remedyOf(plan({})).match(/: \/opt\/v\/bin\/generate_signing_key -o (\S+)$/) ?? []
    expect(told(plan({ keys: { [made]: key('new') } }))).toEqual(['= 0640 root:synapse'])
    const lost = { files: [file({ signing_key_path: other })], keys: { [path]: key('a') } }
    expect(remedyOf(plan(lost))).toContain(`let signing_key_path in ${config} name it`)
    expect(told(plan({ ...lost, files: [file({ signing_key_path: path })] }))).toEqual(['= 0640 root:synapse'])
  })
})
