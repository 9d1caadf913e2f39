import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../engine/failure.ts'

/** What this checkout's own keys are for, and what becomes of what was made with a key that is gone. */
const uses = {
  plan: {
    of: 'saved plans',
    remedy: (path: string) => `rm ${path}, and plan again: plans saved before are refused then.`,
  },
  archive: {
    of: 'sealed backups',
    remedy: (path: string) =>
      `If nobody else had access: chmod 600 ${path}, or restore your copy of it. Otherwise rm ${path}: restore then needs --trust-archive for the archives that it sealed.`,
  },
} as const

/** `plan` seals saved plans, `archive` the backups that were fetched. */
export type KeyUse = keyof typeof uses

/** Where such a key lies. It never leaves this machine by itself. `folder` is the project's own. */
export const ownKeyPath = (folder: string, use: KeyUse): string => join(folder, `${use}.key`)

/** A key of this checkout, 32 bytes in hex, made where `make` says so and there is none; undefined where none is. */
export function ownKey(folder: string, use: KeyUse, make: boolean): string | undefined {
  const found = readKey(folder, use)
  if (found !== undefined || !make) return found
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const text = `${randomBytes(32).toString('hex')}\n`
    writeFileSync(ownKeyPath(folder, use), text, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    // Another run made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readKey(folder, use)
}

function readKey(folder: string, use: KeyUse): string | undefined {
  const path = ownKeyPath(folder, use)
  const state = statSync(path, { throwIfNoEntry: false })
  if (state === undefined) return undefined
  const text = readFileSync(path, 'utf8').trim()
  const open = process.platform !== 'win32' && (state.mode & 0o077) !== 0
  if (open || !/^[0-9a-f]{64}$/.test(text)) {
    const why = open ? 'others can read or write it' : 'it is damaged'
    const { of, remedy } = uses[use]
    throw new Failure('error', `the key of ${of}, ${path}, cannot be trusted: ${why}`, { remedy: remedy(path) })
  }
  return text
}
