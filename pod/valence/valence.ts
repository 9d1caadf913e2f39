import type { DesiredCheckout } from '@infra/shared/facts/host/git'
import type { PackagePlace } from '@infra/shared/facts/host/python-package'
import type { PodEnv } from '../env/env.ts'

/** The user that Valence runs as, and where its parts are on the host. */
export const user = 'valence'
export const home = '/opt/valence'
export const repository = '/opt/valence/repo'
export const venvPath = '/opt/valence/venv'
/** Claude Code, below the user's home. */
export const claude = '.local/bin/claude'

/** Who fetches a private repository: nobody else on the host ever has its token or key. */
export const fetcher = { account: 'valence-fetch', home: '/var/lib/valence-fetch' } as const

/** By this path in it a copy of the repository is known. */
export const repositoryMark = 'src/valence'

/** The repository to deploy, and how it lets in, by whichever of the two variables is set. */
export function desiredRepository(env: PodEnv): DesiredCheckout {
  const { VALENCE_REPO_TOKEN: token, VALENCE_REPO_DEPLOY_KEY_FILE: file } = env
  const { account } = fetcher
  const access = token ? { token, account } : file && { deployKey: file.content, account }
  return { url: env.VALENCE_REPO_URL, ref: env.VALENCE_REPO_REF, user, access }
}

/** The package of the repository, in its virtual environment. */
export const packagePlace = (env: PodEnv): PackagePlace => ({
  venv: venvPath,
  source: repository,
  user,
  constraints: env.VALENCE_PIP_CONSTRAINTS,
})
