import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { accessKeys, attachedPolicies, groupsOf, iamUser, inlinePolicies } from '@infra/shared/facts/aws/iam'
import type { ClusterContext } from '../context.ts'

/** That the bot's user is there and has no more rights than ours: what others gave it a deployment leaves alone. */
export function iamChecks({ env, aws }: ClusterContext): readonly Check[] {
  const name = env.BOT_IAM_USER
  if (env.BOT_AWS_ACCESS_KEY_ID) return []
  return [
    check(aws, {
      id: 'iam.user',
      about: `user ${name} has the bot's rights and no others`,
      remedy: `npm run plan -w cluster -- --tags iam tells what differs. Rights that others gave: aws iam detach-user-policy, delete-user-policy, remove-user-from-group --user-name ${name}.`,
      ask: {
        user: iamUser(aws.place, name),
        keys: accessKeys(aws.place, name),
        inline: inlinePolicies(aws.place, name),
        attached: attachedPolicies(aws.place, name),
        groups: groupsOf(aws.place, name),
      },
      judge({ user, keys, inline, attached, groups }) {
        if (!user) return fail('there is no such user')
        if (!inline.includes('discord-bot')) return fail('it has no policy discord-bot')
        const more = [...inline.filter((policy) => policy !== 'discord-bot'), ...attached, ...groups]
        if (more.length > 0) return warn(`it has more: ${more.join(', ')}`)
        const active = keys.filter((key) => key.active).length
        return ok(`${active} active access key${active === 1 ? '' : 's'}`)
      },
    }),
  ]
}
