import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PartWriter } from '@infra/shared/archive/parts'
import { tarEnd, tarHeader, tarPadding } from '@infra/shared/archive/tar'
import { encryptInto } from '@infra/shared/cli/age-streams'
import { ownKey } from '@infra/shared/cli/own-key'
import type { Session } from '@infra/shared/cli/session'
import { writeArchive } from '@infra/shared/cli/write-archive'
import { secret } from '@infra/shared/command/secret'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../../stoat/backup/archive.ts'
import { digestsOf } from '../../../stoat/backup/bucket.ts'
import { DumpReader } from '../../../stoat/backup/dump.ts'
import { fingerprint, keysText } from '../../../stoat/backup/manifest.ts'
import { Tally } from '../../../stoat/backup/tally.ts'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { bson, dumpOf } from './dumps.ts'

const domain = 'stoat.example.com'
const folder = tempFolder()
const at = (name: string) => join(folder, name)
const recipients: Record<string, string> = {}
const keys = { encryption: secret(Buffer.alloc(32, 'e').toString('base64')), vapid: secret('v'.repeat(60)) }

// Stands for the API server of the cluster: whoever is contacted before the archive was judged would be seen here.
let contacts = 0
const server = createServer((_, reply) => {
  contacts += 1
  reply.writeHead(503).end()
})

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

interface Making {
  readonly of?: string
  readonly recipient?: string
  /** What its manifest says otherwise. */
  readonly manifest?: Readonly<Record<string, unknown>>
}

/** An archive as `backup` makes it. */
async function make(name: string, { of = `stoat ${domain}`, recipient = 'own', manifest = {} }: Making = {}) {
  const dump = dumpOf({ users: [bson({ _id: 'u' })] })
  const reader = new DumpReader()
  reader.push(dump)
  const content = Buffer.from('a file')
  const files = Buffer.concat([tarHeader('f', 6, new Date(0)), content, tarPadding(6), tarEnd()])
  const tally = new Tally()
  await digestsOf(once(files), tally)
  const write = (file: number) =>
    encryptInto(file, [recipients[recipient] ?? ''], async (take) => {
      const parts = new PartWriter(take)
      await parts.part('database', once(dump))
      await parts.part('files', once(files))
      await parts.part('keys', once(Buffer.from(keysText(keys))))
      await parts.end({
        ...{ format: 1, domain, made: '2026-11-24T15:30:00Z', release: 'stoat', revision: 48, mongodb: '7.0.0' },
        ...{ database: reader.end(), files: { bucket: 'revolt-uploads', ...tally.total() }, canary: null },
        keys: { encryption: fingerprint(keys.encryption), vapid: fingerprint(keys.vapid) },
        ...manifest,
      })
    })
  await writeArchive(at(name), { of, key: ownKey(at('.infra'), 'archive', true) ?? '', write })
  return at(name)
}

/** What an archive is judged to be, by the part of `restore` that is given nothing to contact. */
const judged = async (path: string): Promise<string> => {
  const session = { root: folder, emit: () => {}, workspaceOptions: {}, options: {} } as unknown as Session
  return openArchive(session, { path, domain, identity: { path: at('own'), asks: false } }).then(
    () => 'it is taken',
    (error: Error) => error.message,
  )
}

const restore = async (path: string, ...more: string[]) => {
  contacts = 0
  const { code, stdout } = await runCli('stoat', ['restore', path, '--json', ...more], {
    root: folder,
    env: {
      KUBECONFIG: at('kubeconfig'),
      KUBE_CONTEXT: 'here',
      STOAT_DOMAIN: domain,
      STOAT_BACKUP_IDENTITY_FILE: at('own'),
    },
  })
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; message?: string })
  const message = events.find(({ type }) => type === 'failure')?.message ?? ''
  return { code, message, stdout }
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kubeconfig = {
    ...{ apiVersion: 'v1', kind: 'Config', users: [{ name: 'u', user: {} }] },
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(at('kubeconfig'), JSON.stringify(kubeconfig))
  mkdirSync(at('.infra'), { mode: 0o700 })
  for (const name of ['own', 'other']) {
    execFileSync('age-keygen', ['-o', at(name)], { stdio: 'ignore' })
    recipients[name] = execFileSync('age-keygen', ['-y', at(name)], { encoding: 'utf8' }).trim()
  }
})
afterAll(() => void server.close())

describe('an archive that shall be restored', () => {
  const changed = (name: string, from: string, change: (bytes: Buffer) => Buffer) => {
    writeFileSync(at(name), change(readFileSync(from)))
    return at(name)
  }

  it('is refused before anything is contacted', async () => {
    const { code, message } = await restore(changed('short', await make('m'), (bytes) => bytes.subarray(0, -1)))
    expect([code, message, contacts]).toEqual([1, expect.stringMatching(/damaged or cut off/), 0])
  })

  it.each<[what: string, archive: () => Promise<string>, says: RegExp]>([
    ['is cut off', async () => changed('cut', await make('a'), (bytes) => bytes.subarray(0, -1)), /damaged or cut off/],
    [
      'was changed by a byte',
      async () =>
        changed('flipped', await make('b'), (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([7])])),
      /damaged or cut off/,
    ],
    [
      'was sealed again by somebody else',
      async () =>
        changed('forged', await make('c'), (bytes) =>
          Buffer.from(bytes.toString('latin1').replace('made: 2', 'made: 3'), 'latin1'),
        ),
      /seal is forged/,
    ],
    ['is of another Stoat', () => make('d', { of: 'stoat other.example.com' }), /archive is of other\.example\.com/],
    ['is of the pod', () => make('e', { of: `pod ${domain}` }), /an archive of pod, not of stoat/],
    [
      'was encrypted to somebody else',
      () => make('f', { recipient: 'other' }),
      /own cannot decrypt .*nothing was changed/,
    ],
    [
      'holds other documents than it says',
      () => make('g', { manifest: { database: {} } }),
      /its database is not what its manifest says/,
    ],
    [
      'holds other files than it says',
      () => make('h', { manifest: { files: { bucket: 'revolt-uploads', count: 2, bytes: 6, sha256: '0' } } }),
      /its files are not what its manifest says/,
    ],
    ['holds other keys than it says', () => make('i', { manifest: { keys: {} } }), /its keys are not what its/],
    ['is of a later format', () => make('j', { manifest: { format: 2 } }), /format 2, which is not known here/],
  ])('is refused where it %s', async (_, archive, says) => {
    expect(await judged(await archive())).toMatch(says)
  })

  it('is taken of nobody that is known here only where that is said', async () => {
    const file = readFileSync(await make('k'))
    writeFileSync(at('bare'), file.subarray(1024))
    expect(await judged(at('bare'))).toMatch(/nobody known here vouches for/)
    await restore(at('bare'), '--confirm', domain, '--trust-archive')
    expect(contacts).toBeGreaterThan(0)
  })

  it('is judged first; then the cluster is asked, and none of its keys is told', async () => {
    const { code, stdout } = await restore(await make('l'), '--confirm', domain)
    expect([code, contacts > 0]).toEqual([4, true])
    const logs = readdirSync(at('.infra/runs')).map((name) => readFileSync(at(`.infra/runs/${name}`), 'utf8'))
    for (const text of [stdout, ...logs]) expect(text).not.toContain(Buffer.alloc(32, 'e').toString('base64'))
  })
})
