import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyPrint, knownKeys, nameInKnownHosts } from '@infra/shared/targets/ssh/host-keys'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA'

test('a fingerprint is that of ssh-keygen -l', () => {
  expect(keyPrint(key)).toBe('SHA256:Dx/zi/1S+t/gYXCcXCiPBJDogq9mRJH6KTvE5TVoO8M')
})

test('keys of a host are found, hashed or not, at their port, the best first', () => {
  const file = join(tempFolder(), 'known_hosts')
  expect(knownKeys(file, 'h', 22)).toEqual([])
  const lines = [
    '# a comment',
    `other.example,203.0.113.9 ${key}x`,
    '|1|TYJ/RM6a4WhAC/TMD+qEsdR0PQU=|bLox+9jYVD6EUWm40MHd67Ge/rw= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA',
    '203.0.113.10 ssh-rsa AAAA me@here',
    `203.0.113.10 ${key}`,
    '@revoked 203.0.113.10 ssh-rsa BBBB',
    '[203.0.113.10]:2222 ssh-rsa CCCC',
  ]
  writeFileSync(file, lines.join('\n'))
  expect(knownKeys(file, '203.0.113.9', 22)).toEqual([`${key}x`])
  expect(knownKeys(file, '203.0.113.10', 22)).toEqual([key, 'ssh-rsa AAAA'])
  expect(knownKeys(file, '203.0.113.10', 2222)).toEqual(['ssh-rsa CCCC'])
  expect(knownKeys(file, 'hashed.example', 22)).toEqual([key])
  expect(nameInKnownHosts('2001:db8::1', 2222)).toBe('[2001:db8::1]:2222')
})
