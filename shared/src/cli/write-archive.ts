import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { bodyDigest, reserveHead, sealArchive } from '../archive/seal.ts'
import { Failure } from '../engine/failure.ts'
import { ownKey, ownKeyPath } from './own-key.ts'
import { stateFolder } from './paths.ts'
import type { Session } from './session.ts'

/** This operator's key, by which a restore knows that an archive came this way; made where there is none yet. */
export function sealingKey({ root, emit }: Session): string {
  const folder = stateFolder(root)
  const found = ownKey(folder, 'archive', false)
  if (found !== undefined) return found
  const text = `backups are sealed with your own key from now on: ${ownKeyPath(folder, 'archive')}. Keep a copy away from this machine.`
  emit({ type: 'message', level: 'info', text })
  return ownKey(folder, 'archive', true) ?? ''
}

interface Desired {
  /** What it is of: `pod pod.example.com`. */
  readonly of: string
  /** It seals what was written. */
  readonly key: string
  /** Writes the file of age after the head, and gives the SHA-256 of what it wrote, in hex. */
  write(file: number): Promise<string>
}

/**
 * Writes an archive into a file beside `path` that only we can read; it gets its name when it is whole, else it goes away.
 * Gives its size in bytes.
 */
export async function writeArchive(path: string, { of, key, write }: Desired): Promise<number> {
  const draft = `${path}.tmp`
  const drop = () => rmSync(draft, { force: true })
  drop() // of a run that was killed
  const file = create(draft)
  process.once('exit', drop)
  try {
    reserveHead(file)
    const made = new Date().toISOString().replace(/\..*/, 'Z')
    const sha256 = await write(file)
    if (sha256 !== (await bodyDigest(file))) {
      throw new Failure('error', 'the received data differ from what was sent: the archive was deleted', {
        remedy: 'Run again; if it happens again, check the disk of this machine.',
      })
    }
    const bytes = sealArchive(file, { of, made, sha256 }, key)
    fsyncSync(file)
    renameSync(draft, path)
    return bytes
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' || freeBytes(draft) < 65_536
    throw full ? noRoom(dirname(draft)) : error
  } finally {
    closeSync(file)
    drop()
    process.off('exit', drop)
  }
}

function create(path: string): number {
  try {
    return openSync(path, 'wx+', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC') throw noRoom(dirname(path))
    throw new Failure('error', `${path} cannot be written: ${code}`, { remedy: 'Give another --to.' })
  }
}

const freeBytes = (path: string) => {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize
}

const noRoom = (folder: string) =>
  new Failure('error', `the disk of ${folder} is full; no archive was written`, {
    remedy: 'Free some space, or choose another folder: --to FOLDER',
  })
