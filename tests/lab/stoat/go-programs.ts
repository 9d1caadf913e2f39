import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type GoRecipe, goPrograms } from '../kube/go-build.ts'

const sources = fileURLToPath(new URL('go/', import.meta.url))

const build = async (module: string, program: string, more: Partial<GoRecipe> = {}): Promise<string> =>
  join(await goPrograms({ module, sources, ...more }), program)

/** The stand-ins for Stoat's own programs: one file, which does what its first argument says. */
export const standInProgram = (): Promise<string> => build('stoat', 'stoat', { own: true })

/** `minio`, `mc` and `mongosh` in one file, which does what its own name says. */
export const storesProgram = (): Promise<string> => build('stores', 'stores', { own: true })

/** The real S3 server behind `minio`. */
export const versitygwProgram = (): Promise<string> => build('versitygw', 'versitygw')

/** The real Caddy, newer than Debian's. */
export const caddyProgram = (): Promise<string> => build('caddy', 'caddy')
