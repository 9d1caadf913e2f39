import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signFunctions } from '@infra/shared/archive/programs'
import { judgeArchive } from '@infra/shared/archive/seal'
import { expect, test } from 'vitest'
import { tempFolder } from '../../support/temp.ts'

const of = 'pod pod.example.com'

test('what the host signs by a real openssl is known by the public half, and nobody else can sign it', async () => {
  const folder = tempFolder()
  const sign = (key: string, archive: string) =>
    execFileSync('bash', [
      '-ec',
      `set -o pipefail; export LC_ALL=C; cd "$1"; ${signFunctions()}
[ -e $2 ] || openssl genpkey -algorithm ed25519 -out $2
{ reserve_head; printf 'age-encryption.org/v1\\n'; seq 1 200000; } >$3
sign_archive $3 '${of}' $2; openssl pkey -in $2 -pubout -outform DER | base64 -w 0`,
      'bash',
      folder,
      key,
      archive,
    ]).toString()
  const key = sign('key', 'archive')
  const pins = [{ key, since: 'then' }]
  const path = join(folder, 'archive')
  const bytes = readFileSync(path)
  expect(bytes.subarray(1024, 1045).toString()).toBe('age-encryption.org/v1')
  const trust = { of, key: undefined, pins }
  expect(await judgeArchive(path, trust)).toMatchObject({ bodyAt: 1024, verdict: { kind: 'signed', pinned: 'then' } })
  writeFileSync(path, bytes.fill('x', 5000, 5001))
  await expect(judgeArchive(path, trust)).rejects.toThrow(/damaged/)
  sign('other', 'archive')
  expect(await judgeArchive(path, trust)).toMatchObject({ verdict: { kind: 'unknown' } })
  expect(execFileSync('ls', [folder]).toString()).toBe('archive\nkey\nother\n')
})
