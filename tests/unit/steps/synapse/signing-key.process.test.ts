import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { signingKeys } from '@infra/shared/facts/synapse/synapse'
import { previousFolder } from '@infra/shared/steps/host/file'
import { synapseSigningKey } from '@infra/shared/steps/synapse/signing-key'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'
import { file, place } from './config-file.ts'

const on = blank('a new host')
const none = { pending: [] }
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })

describe('synapseSigningKey', () => {
  const path = '/etc/matrix-synapse/homeserver.signing.key'
  const old = '/etc/matrix-synapse/pod.example.org.signing.key'
  const { plan } = synapseSigningKey(on, path, { ...place, user: 'synapse', venv: '/opt/v' })
  const key = { mode: '0640', owner: 'root', group: 'synapse', sound: true, sha256: 'aa' }
  const base = { files: [], keys: { [path]: key }, servers: ['pod.example.org'] }
  const names = (signing_key_path: string) => ({ files: [file({ signing_key_path })] })
  const exchange = [
    `~ ${path} from ${old}, which this server signs with; the other key kept in ${previousFolder}${path}`,
  ]
  test.each<[string, object, string[]]>([
    ['as desired', {}, ['= 0640 root:synapse']],
    ['named where it is', names(path), ['= 0640 root:synapse']],
    ['of a new server', { keys: {}, servers: [] }, [`+ signing key ${path}`]],
    ['of a bare host', { keys: {}, servers: undefined }, [`+ signing key ${path}`]],
    ['of a server that never ran', { ...names(old), keys: {}, servers: [] }, [`+ signing key ${path}`]],
    [
      'open to all',
      { keys: { [path]: { ...key, mode: '0644' } } },
      [`~ ${path} 0644 root:synapse → 0640 root:synapse`],
    ],
    ['elsewhere', { ...names(old), keys: { [old]: key } }, [`+ ${path} from ${old}`]],
    ['elsewhere, and here too', { ...names(old), keys: { [old]: key, [path]: key } }, ['= 0640 root:synapse']],
    [
      'elsewhere, another one here',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sha256: 'bb' } } },
      exchange,
    ],
    [
      'elsewhere and open to all, another one here',
      { ...names(old), keys: { [old]: { ...key, mode: '0644' }, [path]: { ...key, sha256: 'bb' } } },
      [...exchange, `~ ${old} 0644 root:synapse → 0640 root:synapse`],
    ],
    [
      'elsewhere, something else here',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sound: false, sha256: 'bb' } } },
      exchange,
    ],
    [
      'elsewhere, another one here, nobody to tell of users',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sha256: 'bb' } }, servers: undefined },
      exchange,
    ],
    [
      'emptied elsewhere',
      { ...names(old), keys: { [old]: { ...key, sound: false }, [path]: key } },
      [`! ${old} is not a signing key`],
    ],
    [
      'lost',
      { keys: {} },
      [`! the signing key ${path} is gone, but the database synapse holds the server that it is of`],
    ],
    [
      'lost, of a server that is to be moved',
      { keys: {}, servers: undefined, serversBefore: ['pod.example.org'] },
      [`! the signing key ${path} is gone, but the database valence holds the server that it is of`],
    ],
    [
      'lost elsewhere',
      { ...names(old), keys: {} },
      [`! the signing key ${old} is gone, but the database synapse holds the server that it is of`],
    ],
    [
      'lost elsewhere, another one here',
      names(old),
      [`! the signing key ${old} is gone, but the database synapse holds the server that it is of`],
    ],
    ['of a server that never ran, another one here', { ...names(old), servers: [] }, ['= 0640 root:synapse']],
    [
      'written into the configuration',
      { files: [{ ...file({}), keys: ['signing_key'] }] },
      ['! /etc/matrix-synapse/homeserver.yaml holds the signing key itself (signing_key), and would lose it'],
    ],
    ['emptied', { keys: { [path]: { ...key, sound: false } } }, [`! ${path} is not a signing key`]],
  ])('%s', (_, now, desired) => {
    expect(told(plan({ ...base, ...now }, none))).toEqual(desired)
  })

  test('the one in use takes the place of another, which is kept; so is one that was kept before', () => {
    const folder = tempFolder()
    const [here, there] = [join(folder, 'homeserver.signing.key'), join(folder, 'pod.signing.key')]
    const user = userInfo().username
    const { plan } = synapseSigningKey(on, here, { ...place, user, venv: '/opt/v' })
    const now = { ...names(there), keys: { [there]: key, [here]: { ...key, sha256: 'bb' } }, servers: [] }
    const decision = plan(now, none)
    const line = decision.kind === 'changes' ? (decision.changes[0]?.run[0]?.line ?? '') : ''
    const previous = join(folder, 'previous')
    for (const stray of ['stray', 'another']) {
      writeFileSync(here, stray)
      writeFileSync(there, 'ed25519 a_used key')
      const script = line.replaceAll(previousFolder, previous).replaceAll(`root:${user}`, user)
      expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
      expect(readFileSync(here, 'utf8')).toBe('ed25519 a_used key')
      expect(statSync(here).mode & 0o777).toBe(0o640)
      expect(readFileSync(previous + here, 'utf8')).toBe(stray)
    }
    expect(readFileSync(`${previous}${here}.~1~`, 'utf8')).toBe('stray')
    expect(readdirSync(folder).sort()).toEqual(['homeserver.signing.key', 'pod.signing.key', 'previous'])
  })

  test('what is found of it', () => {
    const { parse } = signingKeys(path)
    expect(parse(answer(`${path}|640|root|synapse\nsound\naa  -\n`))).toEqual({ [path]: key })
    expect(parse(answer(`${path}|640|root|synapse\nsound\naa  -\n${old}|644|root|root\nbroken\nbb  -\n`))).toEqual({
      [path]: key,
      [old]: { mode: '0644', owner: 'root', group: 'root', sound: false, sha256: 'bb' },
    })
    expect(parse(answer(''))).toEqual({})
    expect(parse(nothing)).toEqual({})
  })

  test.each(['/k/a.key', '"/k/a.key"', "'/k/a.key'  # never change"])('it is found where %s says', (said) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'homeserver.yaml'), `signing_key_path: ${said.replace('/k', folder)}\n`)
    writeFileSync(join(folder, 'a.key'), `ed25519 a_x ${'A'.repeat(43)}\n`)
    const question = signingKeys(path)
    const script = question.command.line.replaceAll('/etc/matrix-synapse', folder)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const found = question.parse({ code: status ?? 1, stdout, stderr })
    expect(found).toMatchObject({ [join(folder, 'a.key')]: { sound: true } })
  })

  const base64 = 'A'.repeat(43)
  test.each([
    [`ed25519 a_x ${base64}\n`, true],
    [`ed25519  a_x\t${base64}\n`, true],
    [`  ed25519 a_x ${base64}=  \r\n`, true],
    [`ed25519 a_x ${base64}`, true],
    [`ed25519 old ${base64}\ned25519 a_x ${base64}\n`, true],
    [`ed25519 a_x ${base64.slice(1)}\n`, false],
    [`ed25519 ${base64}\n`, false],
    [`#ed25519 a_x ${base64}\n`, false],
    ['', false],
  ])('%j is one: %s', (content, sound) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'a.key'), content)
    const question = signingKeys(join(folder, 'a.key'))
    const script = question.command.line.replaceAll('/etc/matrix-synapse', folder)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect(question.parse({ code: status ?? 1, stdout, stderr })).toMatchObject({ [join(folder, 'a.key')]: { sound } })
  })
})
