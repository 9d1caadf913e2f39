import { standalone } from '@infra/shared/cli/standalone'
import { type Add, script } from '@infra/shared/engine/script'
import type { Step } from '@infra/shared/engine/step'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { directory } from '@infra/shared/steps/host/file'
import { gitCheckout } from '@infra/shared/steps/host/git'
import { installer } from '@infra/shared/steps/host/installer'
import { line } from '@infra/shared/steps/host/line'
import { venv } from '@infra/shared/steps/host/python'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { timezone } from '@infra/shared/steps/host/timezone'
import { schemaFits } from '@infra/shared/steps/postgres/schema-fits'
import type { PodContext } from '../context.ts'
import {
  claude,
  desiredRepository,
  fetcher,
  home,
  repository,
  repositoryMark,
  user,
  venvPath,
} from '../valence/valence.ts'
import { vkbSchema } from '../valence/vkb.ts'

const packages = [
  ...['git', 'curl', 'wget', 'htop', 'vim', 'tmux', 'build-essential'],
  ...['python3', 'python3-pip', 'python3-venv', 'nginx', 'certbot', 'python3-certbot-nginx'],
  // What those only recommend, and is needed: https, time zones, git over ssh, a pager for git.
  ...['ca-certificates', 'tzdata', 'openssh-client', 'less'],
]

export default script(
  'common',
  { about: 'base packages, time zone, the Valence repository and its venv, Claude Code' },
  ({ env, host }: PodContext, add) => {
    const base = add(aptPackages(host, packages))
    add(timezone(host, env.VALENCE_TIMEZONE, { dependsOn: [base] }))
    // Root's: only what is in it is the user's, so that no name in it leads root elsewhere.
    const folder = add(directory(host, home))
    const desired = desiredRepository(env)
    const access = desired.access ? addFetcher(host, add) : []
    add(
      schemaFits(host, 'vkb', {
        ...vkbSchema,
        path: repository,
        checkout: desired,
        variable: 'VALENCE_REPO_REF',
        dependsOn: [base],
      }),
    )
    add(gitCheckout(host, repository, { ...desired, mark: repositoryMark, dependsOn: [base, folder, ...access] }))
    add(venv(host, venvPath, { user, dependsOn: [base, folder] }))
    if (!env.VALENCE_CLAUDE_CODE) return
    add(
      installer(host, 'Claude Code', {
        url: env.VALENCE_CLAUDE_INSTALLER_URL,
        user,
        creates: claude,
        sha256: env.VALENCE_CLAUDE_INSTALLER_SHA256,
        unpinned: "Claude Code's installer runs as valence, unchecked: VALENCE_CLAUDE_INSTALLER_SHA256 is not set",
        without: 'VALENCE_CLAUDE_CODE=false skips it',
        dependsOn: [base],
      }),
    )
    add(line(host, `/home/${user}/.bashrc`, 'export PATH="$HOME/.local/bin:$PATH"', { owner: user }))
  },
)

/** The account that fetches a private repository, and its home. */
function addFetcher(host: PodContext['host'], add: Add): readonly Step[] {
  const { account, home } = fetcher
  const made = add(systemUser(host, account, { home }))
  return [add(directory(host, home, { owner: account, mode: '0700', dependsOn: [made] }))]
}

standalone(import.meta.url)
