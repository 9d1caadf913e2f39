import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHere } from '@infra/shared/cli/paths'
import { parseRecipient } from '@infra/shared/env/recipient'
import { describe, expect, test } from 'vitest'
import { payload, recipientsOf } from '../../../pod/backup/backup.ts'
import { backupState } from '../../../pod/backup/facts.ts'
import { failedRestore } from '../../../pod/commands/restore.ts'
import { type Found, judge, type Manifest } from '../../../pod/commands/restore-judge.ts'
import { decryptionFailure } from '../../../shared/src/cli/age.ts'
import { archiveName, archivePath, hasPassphrase, recipientsIn } from '../../../shared/src/cli/archive-files.ts'
import { tempFolder } from '../../support/temp.ts'

const age = 'age1hyq4mgaw28y7rpm3kfdz56ay68w3khkegaaqnxnhktra9snxlsvs0m5eul'
const ed25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA'

describe('whom to encrypt to', () => {
  test.each([
    [age, age],
    [age.toUpperCase(), age],
    [` ${age}\n`, age],
    [`${ed25519} ana@laptop`, ed25519],
  ])('%j', (text, value) => {
    expect(parseRecipient(text)).toEqual({ value })
  })

  test.each([
    [age.replace('age1', 'age1q'), /cut or mistyped/],
    [age.slice(0, -1), /cut or mistyped/],
    [`${age.slice(0, 20)}${age[20] === 'q' ? 'p' : 'q'}${age.slice(21)}`, /cut or mistyped/],
    ['AGE-SECRET-KEY-1QQQQQQQQ', /is a private age key/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', /is a private key/],
    ['nobody', /neither a recipient of age/],
    [ed25519.slice(0, -8), /cut or garbled/],
    ['ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGGh', /cut or garbled|curve/],
  ])('%j is refused', (text, wrong) => {
    expect(parseRecipient(text)).toMatchObject({ wrong: expect.stringMatching(wrong) })
  })

  test('the pod has its own keys for it, where age knows their type', () => {
    const key = (type: string) => ({ type, base64: 'AAAA', comment: 'c', line: `${type} AAAA c` })
    const keys = [key('ssh-rsa'), key('ecdsa-sha2-nistp256'), key('ssh-ed25519')]
    const file = { path: '/x', keys }
    const none = { VALENCE_BACKUP_RECIPIENT: undefined, VALENCE_SSH_PUBKEY: undefined }
    expect(recipientsOf({ ...none, VALENCE_SSH_PUBKEY_FILE: file })).toEqual(['ssh-rsa AAAA', 'ssh-ed25519 AAAA'])
    expect(recipientsOf({ ...none, VALENCE_SSH_PUBKEY_FILE: { path: '/x', keys: [key('sk-ssh-x')] } })).toEqual([])
    expect(recipientsOf({ ...none, VALENCE_BACKUP_RECIPIENT: age, VALENCE_SSH_PUBKEY_FILE: file })).toEqual([age])
  })

  test('--key takes a key or a file of them', () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'keys'), `# ours\n${age}\n\n${ed25519} ana\n`)
    writeFileSync(join(folder, 'bad'), `${age}\nnobody\n`)
    expect(recipientsIn(age, {})).toEqual([age])
    expect(recipientsIn('keys', { INIT_CWD: folder })).toEqual([age, ed25519])
    expect(() => recipientsIn('bad', { INIT_CWD: folder })).toThrow(/one of its lines is neither/)
    expect(() => recipientsIn('nowhere', { INIT_CWD: folder })).toThrow(/--key is neither/)
  })
})

describe('where a backup goes', () => {
  const now = new Date('2026-11-24T15:30:00.123Z')
  const name = 'pod.example.com-2026-11-24T153000Z.tar.age'

  test('names sort by time', () => {
    expect(archiveName('pod.example.com', now)).toBe(name)
  })

  test('from where npm was called; never over a file', () => {
    const here = tempFolder()
    mkdirSync(join(here, 'sub'))
    writeFileSync(join(here, 'there'), '')
    const path = (to?: string) => archivePath(to, 'pod.example.com', now, { INIT_CWD: here })
    expect(path()).toBe(join(here, name))
    expect(path('sub')).toBe(join(here, 'sub', name))
    expect(path('sub/mine')).toBe(join(here, 'sub/mine'))
    expect(() => path('there')).toThrow(/already exists/)
    expect(() => path('no/where')).toThrow(/there is no folder/)
    expect(() => path('nowhere/')).toThrow(/there is no folder/)
    expect(fromHere('~/x', {})).toMatch(/^\/.*[^~]\/x$/)
  })
})

describe('whether an archive belongs on a host', () => {
  const manifest: Manifest = {
    format: 1,
    server_name: 'pod.example.com',
    made: '2026-11-24T15:30:00Z',
    versions: { os: 'Debian', synapse: null, valence: null, postgresql: 16 },
    rows: {},
  }
  const found: Found = { server_name: null, tables: 0, files: 0, postgresql: 16, roles: ['postgres', 'valence'] }
  const told = (one: Partial<Manifest>, other: Partial<Found>) => () =>
    judge({ ...manifest, ...one }, { ...found, ...other }, 'pod.example.com')

  test.each([
    [{}, {}],
    [{}, { server_name: 'pod.example.com', tables: 40, files: 2, postgresql: 17 }],
    [{ format: 2 }, { roles: ['postgres', 'synapse', 'valence'] }],
  ])('it does: %j %j', (one, other) => {
    expect(told(one, other)).not.toThrow()
  })

  test.each([
    [{ format: 3 }, {}, /format 3/],
    [{ format: 2 }, {}, /no role synapse/],
    [{ server_name: 'pod.example.org' }, {}, /is of pod\.example\.org, this pod is pod\.example\.com/],
    [{}, { server_name: 'pod.example.org' }, /the host runs pod\.example\.org/],
    [{}, { postgresql: 15 }, /PostgreSQL 16, the host has 15/],
    [{}, { roles: ['postgres'] }, /no role valence/],
  ])('it does not: %j %j', (one, other, message) => {
    expect(told(one, other)).toThrow(message)
    expect(told(one, other)).toThrow(/nothing was changed$/)
  })
})

test.each([
  ['age: error: no identity matched any of the recipients', /key cannot decrypt file/],
  ['age: error: failed to decrypt and authenticate payload chunk', /damaged or cut off/],
  ['tar: Unexpected EOF in archive\nage: error: unexpected EOF', /damaged or cut off/],
  ['age: error: failed to read header: parsing age header', /damaged or cut off/],
  ['age: error: failed to obtain passphrase: could not read passphrase', /the passphrase of key is missing or wrong/],
  ['age: error: failed to decrypt SSH key file: x509: decryption password incorrect', /is missing or wrong/],
  ['age: error: key: is a directory', /age cannot open file: key: is a directory/],
])('%j is told in plain words', (said, message) => {
  expect(decryptionFailure(said, 'file', 'key')?.message).toMatch(message)
})

const openssh = (cipher: string) => {
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    Buffer.from([0, 0, 0, cipher.length]),
    Buffer.from(cipher),
  ])
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${blob.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
}
test.each([
  ['an ssh key', openssh('none'), false],
  ['an ssh key with a passphrase', openssh('aes256-ctr'), true],
  ['an old one', '-----BEGIN RSA PRIVATE KEY-----\nAAAA', false],
  ['an old one with a passphrase', '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n', true],
  ['a key of age', '# created: 2026\nAGE-SECRET-KEY-1QQQ\n', false],
  ['one with a passphrase', 'age-encryption.org/v1\n-> scrypt ', true],
  ['the same in letters', '-----BEGIN AGE ENCRYPTED FILE-----\n', true],
])('%s asks for a passphrase or not', (_, content, desired) => {
  const file = join(tempFolder(), 'key')
  writeFileSync(file, content)
  expect(hasPassphrase(file)).toBe(desired)
})

const half = `restore: PostgreSQL does not answer
restore: not given back: /etc/x
restore: not given back: the names of the databases
`

test.each<[said: string, message: RegExp, remedy: RegExp, detail: string[]]>([
  [
    'restore: x\nrestore: nothing was changed\n',
    /^the restore failed and was undone: all is as it was$/,
    /^Mend what it says/,
    ['restore: x'],
  ],
  [
    'pg_restore: error: could not extend file: No space left on device\nrestore: nothing was changed',
    /^the disk of the host is full: the restore failed and was undone/,
    /needs room/,
    ['pg_restore: error: could not extend file: No space left on device'],
  ],
  [
    'restore: x\nrestore: what was there is untouched; a half restored database valence_restoring may be left',
    /^the restore failed; what was there is untouched, but PostgreSQL did not drop the half restored database$/,
    /next restore drops/,
    ['restore: x'],
  ],
  [
    half,
    /^the restore failed, and not all could be undone: \/etc\/x, the names of the databases may be .* left stopped$/,
    /^When that is mended, on the host .* bash \/var\/lib\/infra\/undo-restore\.sh\n/,
    ['restore: PostgreSQL does not answer'],
  ],
  [
    `restore: No space left on device\n${half}`,
    /^the disk of the host is full: .* not all/,
    /^Make room; then, on the host/,
    [],
  ],
  ['', /^the restore failed and was cut short: the pod may be left half restored/, /undo-restore/, []],
])('a restore that said %j', (said, message, remedy, detail) => {
  const failure = failedRestore(said)
  expect(failure.message).toMatch(message)
  expect(failure.remedy).toMatch(remedy)
  expect(failure.detail).toEqual(expect.arrayContaining(detail))
  expect(failure.detail.join()).not.toMatch(/not given back|nothing was changed/)
})

test('a restore that was undone tells who did not start again', () => {
  expect(failedRestore('restore: nothing was changed', 'vkb').message).toMatch(/as it was; vkb did not start again$/)
})

test('an age that said nothing is not a failure', () => {
  expect(decryptionFailure('tar: something', 'file', 'key')).toBeUndefined()
})

test.each([
  ['\nResult=success\nActiveState=inactive\nLastTriggerUSec=\n', null, 'success', false, null],
  ['', null, 'success', false, null],
  [
    '1795534772.5000000000 4096 pod-2026-11-24T153000Z.tar.age\n\nResult=exit-code\nActiveState=activating\nLastTriggerUSec=Tue 2026-11-24 00:00:00.123456 UTC\n',
    { name: 'pod-2026-11-24T153000Z.tar.age', at: 1795534772500, bytes: 4096 },
    'exit-code',
    true,
    Date.parse('2026-11-24T00:00:00Z'),
  ],
])('%j is read', (stdout, newest, result, running, triggered) => {
  expect(backupState.parse({ code: 0, stdout, stderr: '' })).toEqual({ newest, result, running, triggered })
})

test('what is sent to the host is there', () => {
  // Functions in the place of the lines that name them.
  expect(payload('scheduled-backup.sh')).toMatch(/^sign_archive\(\) \{$/m)
  expect(payload('restore.sh')).toMatch(/^unpack\(\) \{$/m)
  expect(payload('restore.sh')).toContain('def members():')
  for (const name of ['backup.sh', 'restore-files.sh', 'restore.sh', 'scheduled-backup.sh', 'round-trip.py'])
    expect(payload(name)).toMatch(/^#/)
  expect(existsSync(join(import.meta.dirname, '../../../pod/files'))).toBe(true)
})
