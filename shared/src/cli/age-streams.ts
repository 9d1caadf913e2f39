import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { quote, sh } from '../command/sh.ts'
import { Failure } from '../engine/failure.ts'
import { startBytes } from '../targets/process.ts'
import { decryptionFailure, type Identity } from './age.ts'

/**
 * Encrypts to these recipients what `produce` writes, into an open file after what is there: a piece at a time, nothing of
 * it plain on a disk. Gives the SHA-256 of what was written, in hex; `progress` hears how many bytes that is so far.
 */
export async function encryptInto(
  file: number,
  recipients: readonly string[],
  produce: (write: (bytes: Buffer) => Promise<void>) => Promise<void>,
  progress: (bytes: number) => void = () => {},
): Promise<string> {
  const age = startBytes(`exec age ${recipients.map((recipient) => `-r ${quote(recipient)}`).join(' ')}`)
  const digest = createHash('sha256')
  let written = 0
  const save = (async () => {
    for await (const chunk of age.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at)
      digest.update(chunk)
      written += chunk.length
      progress(written)
    }
  })()
  // Told below, wherever we are: nothing more is asked for then.
  save.catch(() => age.kill('SIGTERM'))
  let over = false
  void age.ended.then(() => {
    over = true
  })
  const write = async (bytes: Buffer): Promise<void> => {
    if (!over && !age.stdin.write(bytes)) await Promise.race([once(age.stdin, 'drain').catch(() => {}), age.ended])
    if (over) throw notEncrypted(age.said())
  }
  try {
    await produce(write).catch(async (error: unknown) => {
      // That the disk is full is why age was ended.
      if (over) await save
      throw error
    })
    age.stdin.end()
    await save
    if ((await age.ended) === 0) return digest.digest('hex')
    throw notEncrypted(age.said())
  } finally {
    age.kill('SIGTERM')
    await save.catch(() => {})
  }
}

const notEncrypted = (said: string): Failure =>
  new Failure('error', 'age did not encrypt the backup; no archive was written', {
    detail: said.split('\n').filter((line) => line.startsWith('age: error: ')),
  })

/**
 * Decrypts an archive on this machine, a piece at a time, for `work` to read to its end. `bodyAt`: where the file of age
 * begins in it. Throws what age says of the key and of the file, before anything else that went wrong.
 */
export async function decrypted<T>(
  { path, bodyAt, identity }: { readonly path: string; readonly bodyAt: number; readonly identity: Identity },
  work: (source: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const line = sh`tail -c +${bodyAt + 1} ${path} | age --decrypt --identity ${identity.path}`.line
  const age = startBytes(line, { foreground: identity.asks })
  age.stdin.end()
  const ended = work(age.stdout as AsyncIterable<Buffer>).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const outcome = await ended
  // What it has not read yet keeps age from its end.
  age.stdout.destroy()
  if ('error' in outcome) age.kill('SIGTERM')
  await age.ended
  const failure = decryptionFailure(age.said(), path, identity.path)
  if (failure) throw failure
  if ('error' in outcome) throw outcome.error
  return outcome.value
}
