import type { Target } from '@infra/shared/engine/target'
import type { ProvisionEnv } from './env.ts'

/** What the droplet's script and checks are given. */
export interface ProvisionContext {
  readonly env: ProvisionEnv
  /** The DigitalOcean account. */
  readonly cloud: Target
  /** The file that shall hold the droplet's address (`--write-env`), as messages show it. */
  readonly envFile: string | undefined
}

/** The names that lead to the pod; the second is for Matrix clients that ask for it. */
export const podNames = ({ VALENCE_DOMAIN: domain }: ProvisionEnv): readonly string[] => [domain, `matrix.${domain}`]
