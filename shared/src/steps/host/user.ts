import { withRightsOf } from '../../command/as-user.ts'
import { plainText } from '../../command/command.ts'
import { all, raw, sh, withStdin } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Dependency,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type AuthorizedKeys, authorizedKeys, homeOf, isAuthorized, userState } from '../../facts/host/user.ts'

export interface UserOptions {
  /** `/bin/bash` by default. */
  shell?: string
  /** Groups beside its own; those it is in besides are kept. */
  groups?: readonly string[]
  /** Groups that it must not be in; `instead` says in a plan what the user keeps without them. */
  without?: { readonly groups: readonly string[]; readonly instead: string }
  dependsOn?: readonly Dependency[]
}

/**
 * A user with a home. It is made without a password, so that only a key opens it; one that is set later (to use sudo
 * with) is kept, an empty one is not.
 */
export function user(on: Target, name: string, options: UserOptions = {}): Step {
  const { shell = '/bin/bash', groups = [], without, dependsOn = [] } = options
  return step({
    id: `user ${name}`,
    on,
    dependsOn,
    ask: { now: userState(name) },
    plan({ now }) {
      const ownHome = sh`chown --no-dereference ${name}: ${homeOf(name)}`
      if (!now) {
        // "*" matches no password; unlike "!" it does not count as locked, which sshd without PAM turns away.
        const make = sh`useradd --create-home --shell ${shell} --password '*' $(getent group ${name} >/dev/null && echo -N -g ${name} || echo -U) ${
          groups.length > 0 ? ['--groups', groups.join(',')] : []
        } ${name}`
        return changes([create(`user ${name}`, [make, ownHome])], '')
      }
      const list: Change[] = []
      if (now.shell !== shell) list.push(update(`shell of ${name} → ${shell}`, sh`usermod --shell ${shell} ${name}`))
      const missing = groups.filter((group) => !now.groups.includes(group))
      if (missing.length > 0)
        list.push(
          update(`${name} in group ${missing.join(', ')}`, sh`usermod --append --groups ${missing.join(',')} ${name}`),
        )
      for (const group of without?.groups.filter((one) => now.groups.includes(one)) ?? [])
        list.push(
          remove(`${name} out of group ${group}: ${without?.instead}`, sh`gpasswd --delete ${name} ${group}`, {
            risk: 'rights',
          }),
        )
      if (now.password === 'empty')
        list.push(update(`no login without a password for ${name}`, sh`usermod --password '*' ${name}`))
      if (now.homeOwner === undefined)
        list.push(create(`home of ${name}`, sh`cp -rT /etc/skel ${homeOf(name)} && chown -R ${name}: ${homeOf(name)}`))
      else if (now.homeOwner !== name) list.push(update(`home of ${name}, owned by ${now.homeOwner}`, ownHome))
      return changes(list, `uid ${now.uid}, ${now.groups.join(' ')}`)
    },
  })
}

/** A public key as a line of authorized_keys; its base64 part tells one key from another. */
export interface Key {
  readonly base64: string
  readonly line: string
}

/** These keys may log in as the user. Other keys are kept, and so are options that somebody gave to one of these. */
export function authorized(
  on: Target,
  name: string,
  keys: readonly Key[],
  options: { dependsOn?: readonly Dependency[] } = {},
): Step {
  return step({
    id: `authorized keys of ${name}`,
    on,
    dependsOn: options.dependsOn ?? [],
    ask: { now: authorizedKeys(name) },
    plan({ now }) {
      const strange = now && strangeKind(now)
      if (strange) return refuse(strange, `Move it away, then run again; its keys must be kept: look at what it holds.`)
      const list: Change[] = []
      for (const [path, access, mode] of [
        ['.ssh', now?.folder, '0700'],
        ['.ssh/authorized_keys', now?.file, '0600'],
      ] as const) {
        if (!access || (access.owner === name && access.mode === mode)) continue
        // From within: whatever link is put there meanwhile, root goes no further than the folder that it looked at.
        const into = sh`cd -P ${homeOf(name)} && h=$(env pwd -P) && ${path === '.ssh' ? raw(':') : raw('cd -P .ssh && [ "$(env pwd -P)" = "$h/.ssh" ]')}`
        const inside = path === '.ssh' ? path : 'authorized_keys'
        const run = sh`(${into} && chown --no-dereference ${`${name}:`} ${inside}) && ${withRightsOf(name, sh`chmod ${mode} ${homeOf(name)}${`/${path}`}`)}`
        list.push(update(`~${name}/${path} ${access.mode} ${access.owner} → ${mode} ${name}`, run))
      }
      const missing = keys.filter(({ base64 }) => !isAuthorized(now?.lines ?? [], base64))
      if (missing.length > 0) list.push(create(sayKeys(missing, name), addKeys(name, missing)))
      const others = (now?.lines.length ?? 0) - keys.length
      return changes(list, `${keys.length} of ours${others > 0 ? `, ${others} other kept` : ''}`)
    },
  })
}

function strangeKind({ folder, file }: AuthorizedKeys): string | undefined {
  if (folder && folder.kind !== 'directory') return `~/.ssh is a ${folder.kind}`
  if (file && !file.kind.startsWith('regular')) return `~/.ssh/authorized_keys is a ${file.kind}`
  return undefined
}

const sayKeys = (keys: readonly Key[], name: string) =>
  `${keys.length === 1 ? 'key' : `${keys.length} keys`} of ${name}: ${keys.map(({ line }) => line.split(' ').slice(2).join(' ') || line.slice(-12)).join(', ')}`

/** Adds the keys on stdin that are not there yet: into a private temporary beside the file, then a rename. */
function addKeys(name: string, keys: readonly Key[]) {
  const program = `umask 077; set -f
cd "$1" && mkdir -p .ssh && chmod 700 .ssh || exit
t=$(mktemp .ssh/.infra.XXXXXX) || exit
trap 'rm -f "$t"' EXIT
if [ -e .ssh/authorized_keys ]; then cat .ssh/authorized_keys >"$t" || exit; fi
[ -z "$(tail -c 1 "$t")" ] || echo >>"$t"
while IFS= read -r line; do
  grep -qxF -- "$line" "$t" || printf '%s\\n' "$line" >>"$t" || exit
done
chmod 600 "$t" && mv -f "$t" .ssh/authorized_keys`
  const text = plainText(`${keys.map(({ line }) => line).join('\n')}\n`)
  return withStdin(all(raw('cd /'), sh`runuser -u ${name} -- sh -c ${program} sh ${homeOf(name)}`), text)
}
