import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Rehearsal } from './rehearsal.ts'
import { judgements } from './stoat/conformance.ts'
import { startPlain, upstreamNames } from './stoat/plain.ts'
import { startAll } from './stoat/platform.ts'

/**
 * Stoat's own programs, built by hand, in the place of the stand-ins: a whole round and the known faults of both are
 * judged by the same code.
 */
export const upstreamRehearsal = (folder: string): Rehearsal => ({
  needs: ['stoat'],
  introduction: (cache) => `What Stoat's own programs do, without Kubernetes:
  starts    the programs in ${folder}, with real stores, in a network of their own
  judges    a whole round of a user, and how the programs behave when a store or a key is wrong
  builds    the stores from their sources the first time: ten minutes, kept in ${cache}
  leaves    nothing running
`,
  async open() {
    const lacking = Object.values(upstreamNames).filter((name) => !existsSync(join(folder, name)))
    if (lacking.length > 0)
      throw new Error(
        `${folder} lacks ${lacking.join(', ')}; in the source of v0.13.8, cargo build makes them in target/debug`,
      )
    const platform = await startPlain(folder)
    try {
      await startAll(platform)
    } catch (error) {
      await platform.end()
      throw error
    }
    return {
      root: folder,
      said: `Started ${Object.values(upstreamNames).join(', ')}.`,
      async run({ timed }) {
        for (const { about, judge } of judgements) {
          await timed(about, () => judge(platform))
          console.log(`  ok  ${about}`)
        }
      },
      keep: () => Promise.reject(new Error('this is not kept')),
      close: () => platform.end(),
    }
  },
})
