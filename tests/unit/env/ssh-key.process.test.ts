import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reveal } from '@infra/shared/command/secret'
import { privateKeyBeside, privateKeyFile, privateKeyPath, publicKeyFile } from '@infra/shared/env/key-files'
import { parsePublicKey } from '@infra/shared/env/ssh-key'
import { describe, expect, test } from 'vitest'
import { folder, sshKey } from './place.ts'

const root = folder()
const ed25519 = sshKey(root, 'ed25519')
const rsa = sshKey(root, 'rsa', '-b2048')
const publicOf = (path: string) => readFileSync(`${path}.pub`, 'utf8').trim()
const wrongOf = (text: string) => {
  const verdict = parsePublicKey(text)
  return 'wrong' in verdict ? `${verdict.wrong} (${verdict.remedy ?? ''})` : 'fine'
}

describe('keys that ssh-keygen makes', () => {
  const kinds: [type: string, ...more: string[]][] = [
    ['ed25519'],
    ['ecdsa', '-b256'],
    ['ecdsa', '-b384'],
    ['ecdsa', '-b521'],
    ['rsa', '-b3072'],
  ]
  test.each(kinds)('%s %s', (...kind) => {
    const line = publicOf(sshKey(folder(), ...kind))
    const [type, base64, comment] = line.split(' ')
    expect(parsePublicKey(`  ${line}\n`)).toEqual({ value: { type, base64, comment, line } })
    expect(parsePublicKey(`${type} ${base64}`)).toMatchObject({ value: { comment: '', line: `${type} ${base64}` } })
    expect(parsePublicKey(`${type}\t${base64}  two words`)).toMatchObject({ value: { comment: 'two words' } })
  })

  // Keys of security tokens need the token to be made; these have the right form and random content.
  test('of a security token', () => {
    const field = (text: string | Buffer) => {
      const size = Buffer.alloc(4)
      size.writeUInt32BE(text.length)
      return Buffer.concat([size, Buffer.from(text)])
    }
    const type = 'sk-ssh-ed25519@openssh.com'
    const blob = Buffer.concat([field(type), field(Buffer.alloc(32, 7)), field('ssh:')]).toString('base64')
    expect(wrongOf(`${type} ${blob} token`)).toBe('fine')
  })

  test('1024 bits of RSA are too few, 2048 are enough', () => {
    expect(wrongOf(publicOf(sshKey(folder(), 'rsa', '-b1024')))).toMatch(/RSA key of 1024 bits/)
    expect(wrongOf(publicOf(rsa))).toBe('fine')
  })
})

const [type = '', base64 = ''] = publicOf(ed25519).split(' ')
const cut = Buffer.from(Buffer.from(base64, 'base64').subarray(0, 45)).toString('base64')

test.each<[what: string, text: string, wrong: RegExp]>([
  ['a private key', readFileSync(ed25519, 'utf8'), /private key.*\.pub/s],
  ['a private key without its frame', readFileSync(ed25519, 'utf8').split('\n').slice(1, -2).join(''), /private key/],
  ['a PEM private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE', /private key/],
  ['another type in front', `ssh-rsa ${base64}`, /says ssh-rsa, but its data is of type ssh-ed25519/],
  ['no data', type, /nothing after/],
  ['cut data', `${type} ${cut}`, /cut or garbled/],
  [
    'a field too many',
    `${type} ${Buffer.concat([Buffer.from(base64, 'base64'), Buffer.alloc(4)]).toString('base64')}`,
    /too late/,
  ],
  ['a character lost', `${type} ${base64.slice(0, -1)}`, /not base64/],
  ['data that is not base64', `${type} AAAA...`, /not base64/],
  ['data of nothing', `${type} AAAA`, /cut or garbled/],
  ['DSA', `ssh-dss ${base64}`, /DSA/],
  ['a certificate', `ssh-ed25519-cert-v01@openssh.com ${base64}`, /certificate/],
  ['a fingerprint', 'SHA256:uNiVztksCsDhcc0u9e8BrqKXs8pgN2jV2ZVJx1H0uCk', /fingerprint/],
  ['options in front', `no-pty ${type} ${base64}`, /something before the key/],
  ['two keys', `${type} ${base64}\n${type} ${base64}`, /more than one line/],
  [
    'the SSH2 form',
    execFileSync('ssh-keygen', ['-e', '-f', `${ed25519}.pub`], { encoding: 'utf8' }).split('\n')[0] ?? '',
    /SSH2.*ssh-keygen -i/,
  ],
  ['something else', 'hello world', /not an OpenSSH public key/],
])('%s is refused', (_, text, wrong) => {
  const said = wrongOf(text)
  expect(said).toMatch(wrong)
  if (text.length > 20) expect(said).not.toContain(text.slice(-20))
})

describe('key files', () => {
  const issue = (result: { success: boolean; error?: { issues: { message: string; params?: unknown }[] } }) =>
    result.success
      ? 'fine'
      : `${result.error?.issues[0]?.message} ${JSON.stringify(result.error?.issues[0]?.params ?? '')}`
  const wrong = (path: string) => issue(publicKeyFile().safeParse(path) as Parameters<typeof issue>[0])
  const wrongPrivate = (path: string) => issue(privateKeyPath().safeParse(path) as Parameters<typeof issue>[0])

  test('a file of public keys', () => {
    const path = join(root, 'several.pub')
    writeFileSync(path, `# ours\n${publicOf(ed25519)}\r\n\n${publicOf(rsa)}\n`)
    expect(
      publicKeyFile()
        .parse(path)
        .keys.map((key) => key.type),
    ).toEqual(['ssh-ed25519', 'ssh-rsa'])
  })

  test('what is wrong with a public key file', () => {
    writeFileSync(join(root, 'empty.pub'), '# nothing\n')
    writeFileSync(join(root, 'cut.pub'), `${type} ${cut}\n`)
    expect(wrong(ed25519)).toMatch(/names a private key.*ed25519\.pub/)
    expect(wrong(join(root, 'none.pub'))).toMatch(/does not exist.*ssh-keygen -t ed25519 -f .*none makes/)
    expect(wrong(root)).toMatch(/is a directory/)
    expect(wrong(join(root, 'empty.pub'))).toMatch(/contains no key/)
    expect(wrong(join(root, 'cut.pub'))).toMatch(/cut\.pub, whose content is cut or garbled/)
    expect(wrong(join(root, publicOf(ed25519)))).toMatch(/a key itself/)
  })

  test('private keys', () => {
    expect(privateKeyPath().parse(ed25519)).toBe(ed25519)
    const { content, path } = privateKeyFile().parse(ed25519)
    expect([path, reveal(content)]).toEqual([ed25519, readFileSync(ed25519, 'utf8')])
    expect(wrongPrivate(`${ed25519}.pub`)).toMatch(/names a public key.*use the private half/)
    const pasted = wrongPrivate(join(root, readFileSync(ed25519, 'utf8')))
    expect(pasted).toMatch(/holds a private key itself/)
    expect(pasted).not.toContain('b3BlbnNzaC1rZXk')
    expect(privateKeyBeside(`${ed25519}.pub`)).toBe(ed25519)
    expect(privateKeyBeside(join(root, 'alone.pub'))).toBeUndefined()
    expect(privateKeyBeside(ed25519)).toBeUndefined()
    chmodSync(rsa, 0o644)
    expect(privateKeyBeside(`${rsa}.pub`)).toBeUndefined()
    expect(wrongPrivate(rsa)).toMatch(/others can read.*chmod 600/)
    writeFileSync(join(root, 'ppk'), 'PuTTY-User-Key-File-3: ssh-ed25519\n', { mode: 0o600 })
    expect(wrongPrivate(join(root, 'ppk'))).toMatch(/PuTTY.*puttygen/)
  })
})
