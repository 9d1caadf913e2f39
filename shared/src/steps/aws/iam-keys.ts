import { type AwsPlace, aws, awsUntil, awsWhere, explainAws as explain } from '../../command/aws.ts'
import { type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Decision,
  type Dependency,
  type Question,
  remove,
  type Step,
  step,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type AccessKey, accessKeys } from '../../facts/aws/iam.ts'

type OnAws = Target & { readonly place: AwsPlace }

/**
 * Where a key is kept, such as a Secret of a cluster. Both commands are lines of shell on this machine, run beside the
 * aws CLI: they say themselves where they go (`kubectl --context …`).
 */
export interface KeyStore {
  /** In the words of the plan: `Secret discord-bot-secrets`. */
  readonly name: string
  /** The id of the key that is kept; null where there is none or its secret half is empty. Never tells that half. */
  readonly kept: Question<string | null>
  /** Reads a line `ID<TAB>SECRET` from stdin and keeps both. Ends with another code than 0 when it did not. */
  readonly keep: Shell
}

interface KeyOptions {
  readonly user: string
  readonly store: KeyStore
  readonly dependsOn?: readonly Dependency[]
}

interface Now {
  readonly keys: readonly AccessKey[]
  readonly kept: string | null
}

/** The id of the step that {@link botCredentials} makes. */
export const credentialsId = (user: string, store: KeyStore): string => `access key of ${user} in ${store.name}`

/**
 * An access key of a user, made once and kept in a store: a new one only when the store has none that IAM knows as
 * active. IAM allows two, so that one can follow the other: where both are lost to us, the one to miss least goes
 * first, and there is never a third. What the new one replaces is deleted by {@link retiredKeys}, later, when nothing
 * uses it any more.
 */
export function botCredentials(on: OnAws, { user, store, dependsOn = [] }: KeyOptions): Step {
  const { place } = on
  return step({
    id: credentialsId(user, store),
    on,
    ask: { keys: accessKeys(place, user), kept: store.kept },
    plan: (now) => decideKey(place, user, store, now),
    dependsOn,
  })
}

function decideKey(place: AwsPlace, user: string, store: KeyStore, { keys, kept }: Now): Decision {
  const good = keys.find(({ id, active }) => active && id === kept)
  if (good) return converged(`${tell(good)}, kept in ${store.name}`)
  const victim = firstToGo(keys)
  const list: Change[] = victim ? [removal(place, user, victim)] : []
  list.push(create(`access key of ${user}, kept in ${store.name}`, makeAndKeep(place, user, store), { explain }))
  return changes(list, '')
}

/** Of two keys that nobody can use any more, the one that makes room. */
const firstToGo = (keys: readonly AccessKey[]): AccessKey | undefined =>
  keys.length < 2 ? undefined : (keys.find(({ active }) => !active) ?? keys[0])

/**
 * Deletes the access keys of a user that are older than the one in the store: what a rotation leaves. To be placed
 * after what uses the key has been given the new one. A key that is newer was made by somebody on purpose, and stays.
 */
export function retiredKeys(on: OnAws, { user, store, dependsOn = [] }: KeyOptions): Step {
  const { place } = on
  return step({
    id: `retired access keys of ${user}`,
    on,
    ask: { keys: accessKeys(place, user), kept: store.kept },
    dependsOn,
    plan({ keys, kept }, { pending }) {
      const at = keys.findIndex(({ id, active }) => active && id === kept)
      if (at < 0 && pending.length > 0) {
        // A new one is about to be made: what is there now will be what it replaces.
        const gone = firstToGo(keys)
        return changes(
          keys.filter((key) => key !== gone).map((key) => removal(place, user, key)),
          'no other key',
        )
      }
      if (at < 0) return converged(`none is retired while ${store.name} has no working one`)
      const newer = keys.slice(at + 1).map((key) => `${tell(key)} is not ours`)
      const old = keys.slice(0, at).map((key) => removal(place, user, key))
      return changes(old, ['no other key', ...newer].slice(newer.length > 0 ? 1 : 0).join(', '))
    },
  })
}

const tell = ({ id, created, active }: AccessKey): string =>
  `…${id.slice(-4)} of ${created.slice(0, 10)}${active ? '' : ', inactive'}`

function removal(place: AwsPlace, user: string, key: AccessKey): Change {
  const drop = aws(place, 'iam', 'delete-access-key', { UserName: user, AccessKeyId: key.id })
  const left = listed(place, user, `length(AccessKeyMetadata[?AccessKeyId=='${key.id}'])`)
  const gone = awsUntil(left, '0', { say: `access key of ${user}`, seconds: 60 })
  // Whoever else was given it cannot sign in any more.
  return remove(`access key ${tell(key)} of ${user}`, [drop, gone], { risk: 'downtime', explain })
}

const listed = (place: AwsPlace, user: string, query: string): Shell =>
  aws(place, 'iam', 'list-access-keys', { UserName: user }, { query })

/**
 * Makes a key and hands it over: what the CLI prints goes into a variable of the shell and from there by a pipe
 * (`printf` is the shell's own, no process), so that no argument, file or output of ours ever holds the secret half.
 * What cannot be kept is deleted again at once.
 */
function makeAndKeep(place: AwsPlace, user: string, store: KeyStore): Shell {
  const query = 'AccessKey.[AccessKeyId,SecretAccessKey]'
  const make = aws(place, 'iam', 'create-access-key', { UserName: user }, { query })
  return sh`made=$(${make}) || exit
id=\${made%%[!A-Z0-9]*}
if said=$(printf '%s\\n' "$made" | { ${store.keep}; } 2>&1); then
  echo "kept in "${store.name}
else
  code=$?
  case $said in *"\${made#"$id"?}"*) said='what was said holds the key and is not shown' ;; esac
  printf '%s\\n' "$said" >&2
  aws iam delete-access-key --user-name ${user} --access-key-id "$id" ${awsWhere(place)} &&
    echo "the key could not be kept in "${store.name}", and was deleted again" >&2
  exit "$code"
fi`
}
