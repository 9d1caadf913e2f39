import { gitRef, gitUrl } from '@infra/shared/env/git'
import { privateKeyFile } from '@infra/shared/env/key-files'
import { pipConstraints } from '@infra/shared/env/pip'
import { token } from '@infra/shared/env/secrets'
import { variable } from '@infra/shared/env/variable'

const group = 'Valence repository'

/** Where Valence comes from, how its repository lets in, and what it is installed with. */
export const valenceVariables = {
  VALENCE_REPO_URL: variable(gitUrl().prefault('https://github.com/ourochronos/valence.git'), {
    group,
    description: 'The repository to clone: https, or ssh with a deploy key',
    example: 'https://github.com/ourochronos/valence.git',
  }),
  VALENCE_REPO_REF: variable(gitRef().prefault('v1.0.1'), {
    group,
    description: 'The tag, branch or commit to deploy; a tag or commit stays the same from run to run',
    example: 'v1.0.1',
  }),
  VALENCE_REPO_TOKEN: variable(token().optional(), {
    group,
    description: 'Token that may read a private https repository',
    example: 'github_pat_...',
    placeholder: 'github_pat_...',
    secret: true,
    unset: 'the repository is public',
  }),
  VALENCE_REPO_DEPLOY_KEY_FILE: variable(privateKeyFile().optional(), {
    group,
    description: 'Path to the private deploy key of a private ssh repository',
    example: '~/.ssh/valence_deploy',
    path: true,
    unset: 'the repository is public',
  }),
  // v1.0.1 asks for `mcp>=1.0`, and breaks with 2; both bounds are those that Valence gave itself later (commit e498816).
  VALENCE_PIP_CONSTRAINTS: variable(pipConstraints().prefault('mcp<2 openai<3'), {
    group,
    description: 'Additional pip constraints for Valence; `none` for none',
    example: 'mcp<2 openai<3',
  }),
}
