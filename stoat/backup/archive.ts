import { damaged } from '@infra/shared/archive/head'
import { type Part, readParts } from '@infra/shared/archive/parts'
import type { Judged } from '@infra/shared/archive/seal'
import type { Identity } from '@infra/shared/cli/age'
import { decrypted } from '@infra/shared/cli/age-streams'
import { judged } from '@infra/shared/cli/judged'
import { told } from '@infra/shared/cli/locked'
import type { Session } from '@infra/shared/cli/session'
import { digestsOf } from './bucket.ts'
import { type Collections, DumpReader } from './dump.ts'
import { type DataKeys, dataKeys, fingerprint, type Manifest, readKeys, readManifest } from './manifest.ts'
import { sameTotal, Tally } from './tally.ts'

/** What the archives of a Stoat are of, in their heads. */
export const archiveOf = (domain: string): string => `stoat ${domain}`

/** The parts of an archive, in order. */
export const partNames = { database: 'database', files: 'files', keys: 'keys' } as const

/** An archive that was read from its beginning to its end, and is what it says. */
export interface OpenedArchive {
  readonly path: string
  readonly archive: Judged
  readonly identity: Identity
  readonly manifest: Manifest
  readonly keys: DataKeys
  /** The SHA-256 of each object, by name. */
  readonly digests: ReadonlyMap<string, string>
}

/**
 * Judges an archive and reads all of it, on this machine alone: nothing is contacted. Throws for one that is damaged,
 * forged, of another Stoat, encrypted to somebody else, or whose contents are not what its manifest says.
 */
export async function openArchive(
  session: Session,
  { path, domain, identity }: { readonly path: string; readonly domain: string; readonly identity: Identity },
): Promise<OpenedArchive> {
  const archive = await judged(session, path, { of: archiveOf(domain), pins: [], signer: 'nobody' })
  const sealed = { path, bodyAt: archive.bodyAt, identity }
  const say = `decrypting ${path} here, to see that it is whole`
  if (identity.asks) asksTwice(session, identity)
  // Nothing is drawn over the question.
  const contents = await (identity.asks ? readAll(sealed) : told(session, say, () => readAll(sealed)))
  archive.assertSame()
  return { path, archive, identity, ...contents }
}

function asksTwice({ emit }: Session, { path }: Identity): void {
  const text = `age asks for the passphrase of ${path} each time that the archive is read: to look at it, and to restore it`
  emit({ type: 'message', level: 'info', text })
}

type Contents = Pick<OpenedArchive, 'manifest' | 'keys' | 'digests'>

function readAll(sealed: Parameters<typeof decrypted>[0]): Promise<Contents> {
  const { path } = sealed
  return decrypted(sealed, async (source) => {
    let database: Collections | undefined
    let keys: DataKeys | undefined
    let digests: ReadonlyMap<string, string> = new Map()
    const files = new Tally()
    const text = await readParts(source, path, async ({ name, content }) => {
      if (name === partNames.database) {
        const reader = new DumpReader()
        for await (const chunk of content()) reader.push(chunk)
        database = reader.end()
      } else if (name === partNames.files) digests = await digestsOf(content(), files)
      else if (name === partNames.keys) keys = readKeys(await textOf(content()), path)
      else throw damaged(path, `it holds ${name}, which no backup of stoat does`)
    })
    const manifest = readManifest(text, path)
    if (!database || differing(manifest.database, database).length > 0)
      throw damaged(path, 'its database is not what its manifest says')
    if (!sameTotal(manifest.files, files.total())) throw damaged(path, 'its files are not what its manifest says')
    if (!keys || dataKeys.some((name) => keys && fingerprint(keys[name]) !== manifest.keys[name]))
      throw damaged(path, 'its keys are not what its manifest says')
    return { manifest, keys, digests }
  })
}

/** The collections that are not the same in both, with what differs: `messages: 3 documents instead of 5`. */
export function differing(desired: Collections, found: Collections): readonly string[] {
  const names = [...new Set([...Object.keys(desired), ...Object.keys(found)])].sort()
  return names.flatMap((name) => {
    const [one, other] = [desired[name], found[name]]
    if (!sameTotal(one, other)) {
      const [count, there] = [one?.count ?? 0, other?.count ?? 0]
      return count === there && one && other
        ? [`${name}: other documents`]
        : [`${name}: ${there} documents instead of ${count}`]
    }
    return one?.indexes.join() === other?.indexes.join() ? [] : [`${name}: other indexes`]
  })
}

/** Reads an opened archive once more, and gives the content of each of its parts to `take`. */
export async function sendArchive(
  { path, archive, identity }: OpenedArchive,
  take: (part: Part) => Promise<void>,
): Promise<void> {
  await decrypted({ path, bodyAt: archive.bodyAt, identity }, (source) => readParts(source, path, take))
  archive.assertSame()
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
