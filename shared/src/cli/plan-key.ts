import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../engine/failure.ts'

/** Where the key of this checkout's saved plans lies. It never leaves this machine: a plan file is nothing without it. */
export const planKeyPath = (folder: string): string => join(folder, 'plan.key')

/** The key of this checkout, made when the first plan is saved; undefined where none was yet. */
export function planKey(folder: string, make: boolean): string | undefined {
  const path = planKeyPath(folder)
  const found = readKey(path)
  if (found !== undefined || !make) return found
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    // Another run made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readKey(path)
}

function readKey(path: string): string | undefined {
  const state = statSync(path, { throwIfNoEntry: false })
  if (state === undefined) return undefined
  const text = readFileSync(path, 'utf8').trim()
  const open = process.platform !== 'win32' && (state.mode & 0o077) !== 0
  if (open || !/^[0-9a-f]{64}$/.test(text)) {
    const why = open ? 'others can read or write it' : 'it is damaged'
    throw new Failure('error', `the key of saved plans, ${path}, cannot be trusted: ${why}`, {
      remedy: `rm ${path}, and plan again: what was saved before is refused then.`,
    })
  }
  return text
}

/** HMAC-SHA-256, in hex. */
export const keyed = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex')

/** Whether two such are the same, in a time that tells nothing of where they differ. */
export const sameSeal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
