import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decrypted, encryptInto } from '@infra/shared/cli/age-streams'
import { expect, it } from 'vitest'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder()
const identity = join(folder, 'key')
execFileSync('age-keygen', ['-o', identity], { stdio: 'ignore' })
const recipient = execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim()

const chunk = Buffer.alloc(1 << 20, 'x')

it('brings back what it encrypted, whatever its size', async () => {
  const path = join(folder, 'file')
  const file = openSync(path, 'wx')
  await encryptInto(file, [recipient], async (write) => {
    for (let count = 0; count < 20; count += 1) await write(chunk)
  })
  closeSync(file)
  expect(readFileSync(path).includes(chunk.subarray(0, 100))).toBe(false)
  let bytes = 0
  await decrypted({ path, bodyAt: 0, identity: { path: identity, asks: false } }, async (source) => {
    for await (const piece of source) bytes += piece.length
  })
  expect(bytes).toBe(20 * chunk.length)
})

it('asks for nothing more when the disk is full, and says so', async () => {
  const file = openSync('/dev/full', 'w')
  let asked = 0
  const encrypting = encryptInto(file, [recipient], async (write) => {
    for (; asked < 1000; asked += 1) await write(chunk)
  })
  await expect(encrypting).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(asked).toBeLessThan(100)
  closeSync(file)
})

it('says what age says of a recipient that is none', async () => {
  const file = openSync(join(folder, 'none'), 'wx')
  const encrypting = encryptInto(file, ['age1none'], async (write) => {
    for (let count = 0; count < 100; count += 1) await write(chunk)
  })
  await expect(encrypting).rejects.toMatchObject({ detail: [expect.stringContaining('age1none')] })
  closeSync(file)
})
