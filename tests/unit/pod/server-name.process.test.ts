import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { payload } from '../../../pod/backup/backup.ts'
import { unreadName } from '../../../pod/backup/server-name.ts'
import { tempFolder } from '../../support/temp.ts'

type Files = Readonly<Record<string, string>>

/** PostgreSQL is another matter: stubs stand for it, and for what it would fill an archive with. */
const stubs = {
  'restore.sh': `count() { echo 0; }; room() { echo 9999; }; superuser() { printf '{"server_name":"%s"}\\n' "\${3#name=}"; }`,
  'backup.sh': `age() { cat; }; superuser() { echo '{"postgresql":17,"made":"now","roles":[]}'; }
produce() { echo '{}' | tee valence.kind valence.rows; : | tee sizes SHA256SUMS; manifest; }`,
}

/** The name that a program of the host takes for that of its Synapse, where these are Synapse's files. */
function nameIn(program: 'restore.sh' | 'backup.sh', files: Files) {
  const folder = tempFolder()
  for (const part of ['synapse/conf.d', 'archive', 'run']) mkdirSync(join(folder, part), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'synapse', name), text)
  for (const name of ['manifest.json', 'SHA256SUMS', 'database.000000'])
    writeFileSync(join(folder, 'archive', name), '{}\n')
  const text = payload(program)
    .replaceAll('/etc/matrix-synapse', join(folder, 'synapse'))
    .replaceAll(/\/(run|var\/lib)\/(?=valence-|infra)/g, `${folder}/run/`)
    // In front of the command that begins all.
    .replace(/\n(?="\$@"\n$|# Sent over a connection)/, () => `\n${stubs[program]}\n`)
  const args = program === 'restore.sh' ? ['look', join(folder, 'archive')] : ['pod.example.com']
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-s', '--', ...args], {
    encoding: 'utf8',
    input: text,
  })
  expect(`${stdout}${stderr}`).not.toContain('hush')
  return { status, stderr, name: stdout.match(/"server_name": ?"([^"]*)"/)?.[1] }
}

describe.each(['restore.sh', 'backup.sh'] as const)('%s', (program) => {
  test.each<[string, string]>([
    ['plain', 'server_name: pod.example.org # ours\nform_secret: hush\n'],
    ['JSON', '{"form_secret": "hush", "server_name": "pod.example.org"}\n'],
    ['quoted, the name of the setting too', `'server_name' : "pod.exa\\x6dple.org"\n`],
    ['flow style over several lines', '{form_secret: hush,\n  server_name:\n    pod.example.org}\n'],
    ['an anchor', 'x: &here pod.example.org\nserver_name: *here\n'],
    ['merged', 'x: &all {server_name: pod.example.org}\n<<: *all\n'],
    [
      'a folded block below a name that only looks like it',
      'x: |\n  a\nxserver_name: no\nserver_name: >-\n  pod.example.org\n',
    ],
  ])('reads the name in whatever shape it is written: %s', (_, text) => {
    expect(nameIn(program, { 'homeserver.yaml': text })).toMatchObject({ status: 0, name: 'pod.example.org' })
  })

  test('takes the last file that says it, as Synapse does', () => {
    const said = nameIn(program, {
      'homeserver.yaml': 'server_name: a.example.org\n',
      'conf.d/a.yaml': 'server_name: b.example.org\n',
      'conf.d/z.yaml': '"server_name": pod.example.org\n',
    })
    expect(said).toMatchObject({ status: 0, name: 'pod.example.org' })
  })

  test('knows a host without Synapse', () => {
    const name = { 'restore.sh': '', 'backup.sh': 'pod.example.com' }[program]
    expect(nameIn(program, {})).toMatchObject({ status: 0, name })
  })

  test.each<[string, string, RegExp]>([
    ['no YAML', 'server_name: pod\nform_secret: [hush\n', /homeserver\.yaml: not YAML \(line \d\); nothing$/],
    ['not a map', '- hush\n', /homeserver\.yaml: not a map of settings; nothing$/],
    ['a name that is none', 'server_name: [hush]\n', /homeserver\.yaml: its server_name is not a name; nothing$/],
    ['no UTF-8', 'server_name: \xff', /homeserver\.yaml: not UTF-8; nothing$/],
  ])('stops where nobody can read it: %s', (_, text, says) => {
    const bytes = Buffer.from(text, 'latin1')
    const { status, stderr, name } = nameIn(program, { 'homeserver.yaml': bytes as unknown as string })
    expect({ status, name }).toEqual({ status: 1, name: undefined })
    expect(unreadName(stderr, 'nothing')?.message).toMatch(says)
  })
})
