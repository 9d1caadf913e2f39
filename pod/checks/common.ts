import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { installedPackages } from '@infra/shared/facts/host/apt'
import { gitState } from '@infra/shared/facts/host/git'
import { hasProgram } from '@infra/shared/facts/host/installer'
import { venvState } from '@infra/shared/facts/host/python'
import { timezoneState } from '@infra/shared/facts/host/timezone'
import { same } from '@infra/shared/steps/host/timezone'
import type { PodContext } from '../context.ts'
import { claude, desiredRepository, repository, user, venvPath } from '../valence/valence.ts'

const again = 'npm run deploy -w pod -- --tags common'

/** What the script `common` leaves behind, seen from inside the host. */
export const commonChecks = ({ env, host }: PodContext): readonly Check[] => [
  check(host, {
    id: 'common.repository',
    about: `${repository} at ${env.VALENCE_REPO_REF}`,
    remedy: again,
    ask: { now: gitState(repository, desiredRepository(env)) },
    judge: ({ now }) => {
      if (now.kind !== 'clone') return fail(now.kind)
      if (now.head !== now.desired) return fail(`at ${now.head?.slice(0, 7)}`)
      return now.modified.length > 0 ? warn(`modified: ${now.modified.join(', ')}`) : ok(now.head?.slice(0, 7) ?? '')
    },
  }),
  check(host, {
    id: 'common.venv',
    about: `Python works in ${venvPath}`,
    remedy: again,
    ask: { now: venvState(venvPath, user) },
    judge: ({ now }) => (now.python ? ok(`Python ${now.python}`) : fail(now.exists ? 'broken' : 'absent')),
  }),
  ...(env.VALENCE_CLAUDE_CODE
    ? [
        check(host, {
          id: 'common.claude',
          about: `Claude Code for user ${user}`,
          remedy: again,
          ask: { there: hasProgram(user, claude) },
          judge: ({ there }) => (there ? ok(`~${user}/${claude}`) : warn('absent')),
        }),
      ]
    : []),
  check(host, {
    id: 'common.timezone',
    about: `time zone ${env.VALENCE_TIMEZONE}`,
    remedy: again,
    ask: { now: timezoneState(env.VALENCE_TIMEZONE) },
    judge: ({ now: { zone } }) => (same(zone, env.VALENCE_TIMEZONE) ? ok(zone ?? '') : fail(zone ?? 'unknown')),
  }),
  check(host, {
    id: 'common.nginx',
    about: 'nginx installed',
    remedy: again,
    ask: { packages: installedPackages(['nginx']) },
    judge: ({ packages: { nginx } }) => (nginx ? ok(nginx) : fail('absent')),
  }),
]
