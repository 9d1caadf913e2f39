import { type LoadOptions, loadEnv } from '@infra/shared/env/load'
import { podSchema } from '../../../pod/env/env.ts'
import { folder } from './place.ts'

/** Loads the pod's environment from a folder of these files, with an empty process environment unless told. */
export const loadPod = (
  files: Readonly<Record<string, string>>,
  options: Partial<Omit<LoadOptions<typeof podSchema>, 'schema'>> = {},
) => loadEnv({ schema: podSchema, root: folder(files), processEnv: {}, ...options })

/** The problems as `NAME message`, and nothing else about them. */
export const wrongs = (loaded: ReturnType<typeof loadPod>) =>
  (loaded.problems ?? []).map((one) => `${one.variable} ${one.message}`)
