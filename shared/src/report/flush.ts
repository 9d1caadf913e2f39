import { streams } from './outlet.ts'

/**
 * Resolves when all that was printed has been taken by its reader, or the reader is gone. A pipe whose reader is slow
 * (a pager, a busy machine) holds only so much: what is printed beyond that is lost when the process ends before.
 */
export async function flushed(list: readonly NodeJS.WriteStream[] = [streams.out, streams.err]): Promise<void> {
  await Promise.all(
    list.map((stream) => {
      if (stream.writableLength === 0 || stream.destroyed) return undefined
      return new Promise<void>((resolve) => {
        stream.once('close', resolve)
        stream.write('', () => resolve())
      })
    }),
  )
}
