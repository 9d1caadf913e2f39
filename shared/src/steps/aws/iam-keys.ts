import { type AwsPlace, aws, awsUntil, awsWhere, explainAws as explain } from '../../command/aws.ts'
import { keysMade, keyTag, madeBy, staleTags } from '../../command/aws-tags.ts'
import { type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Decision,
  type Dependency,
  noting,
  type Question,
  refuse,
  remove,
  type Step,
  step,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type AccessKey, accessKeys, iamUser, type UserState } from '../../facts/aws/iam.ts'
import { userId } from './iam.ts'

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
  readonly owner: UserState | null
  readonly keys: readonly AccessKey[]
  readonly kept: string | null
}

/** The id of the step that {@link botCredentials} makes. */
export const credentialsId = (user: string, store: KeyStore): string => `access key of ${user} in ${store.name}`

const questions = (place: AwsPlace, { user, store }: KeyOptions) => ({
  owner: iamUser(place, user),
  keys: accessKeys(place, user),
  kept: store.kept,
})

/**
 * An access key of a user, made once and kept in a store: a new one only when the store has none that IAM knows as
 * active. A tag of the user names it, since only keys that were made here are ever deleted. IAM allows
 * two, so that one can follow the other: where both are lost to us, the one to miss least goes first, and where none of
 * them was made here, the plan is refused. What the new one replaces is deleted by {@link retiredKeys}, later, when
 * nothing uses it any more.
 */
export function botCredentials(on: OnAws, options: KeyOptions): Step {
  const { user, store, dependsOn = [] } = options
  return step({
    id: credentialsId(user, store),
    on,
    ask: questions(on.place, options),
    plan: (now, { pending }) =>
      now.owner || pending.includes(userId(user))
        ? decideKey(on.place, user, store, now)
        : refuse(`there is no user ${user}`, 'Run without --tags and --skip-tags: the user is made first.'),
    dependsOn: [...dependsOn, userId(user)],
  })
}

function decideKey(place: AwsPlace, user: string, store: KeyStore, now: Now): Decision {
  const { keys, kept } = now
  const good = keys.find(({ id, active }) => active && id === kept)
  if (good) return converged(`${tell(good)}, kept in ${store.name}`)
  const own = ownKeys(now)
  const victim = firstToGo(keys, own)
  if (keys.length > 1 && !victim) return refuseFull(user, store, keys)
  const list: Change[] = victim ? [removal(place, user, victim)] : []
  const make = makeAndKeep(place, user, store)
  list.push(create(`access key of ${user}, kept in ${store.name}`, make, { explain }))
  return changes(list, '')
}

/**
 * The keys that were made here, by the tags of their user. Before there were those, of a user that was made here: the one
 * in the store.
 */
function ownKeys({ owner, keys, kept }: Now): readonly AccessKey[] {
  const made = keysMade(owner?.tags)
  const isOld = made.length === 0 && owner !== null && Object.keys(staleTags(madeBy, owner.tags)).length === 0
  return keys.filter(({ id }) => made.includes(id) || (isOld && id === kept))
}

/** Of two keys, one of our own that nobody can use any more and that makes room. */
const firstToGo = (keys: readonly AccessKey[], own: readonly AccessKey[]): AccessKey | undefined =>
  keys.length < 2 ? undefined : (own.find(({ active }) => !active) ?? own[0])

function refuseFull(user: string, store: KeyStore, keys: readonly AccessKey[]): Decision {
  const [first] = keys
  const look = `aws iam get-access-key-last-used --access-key-id ${first?.id}`
  const drop = `aws iam delete-access-key --user-name ${user} --access-key-id ${first?.id}`
  return refuse(
    `user ${user} has ${keys.length} access keys that were not made here (${keys.map(tell).join('; ')}), IAM allows no third, and ${store.name} holds none of them that works`,
    `Delete one that nobody uses (${look} tells when it was used; ${drop}), or give the bot a user of its own by BOT_IAM_USER. Nothing here deletes a key that it did not make.`,
  )
}

/**
 * Deletes the access keys made here that are older than the one in the store: what a rotation leaves. To be placed
 * after what uses the key has been given the new one. A key that somebody else made stays, and so does one that is
 * newer: it was made on purpose.
 */
export function retiredKeys(on: OnAws, options: KeyOptions): Step {
  const { place } = on
  const { user, store, dependsOn = [] } = options
  return step({
    id: `retired access keys of ${user}`,
    on,
    ask: questions(place, options),
    dependsOn,
    plan(now, { pending }) {
      const { keys, kept } = now
      const own = ownKeys(now)
      const foreign = keys.filter((key) => !own.includes(key) && key.id !== kept)
      const notes = foreign.map((key) => `access key ${tell(key)} of ${user} is kept: it was not made here`)
      const at = keys.findIndex(({ id, active }) => active && id === kept)
      if (at < 0 && pending.length === 0)
        return noting(converged(`none is retired while ${store.name} has no working one`), notes)
      // Where a new one is about to be made, what is there now will be what it replaces.
      const gone = at < 0 ? firstToGo(keys, own) : undefined
      const old = own.filter((key) => key !== gone && (at < 0 || keys.indexOf(key) < at))
      return noting(
        changes(
          old.map((key) => removal(place, user, key)),
          'no other key',
        ),
        notes,
      )
    },
  })
}

const tell = ({ id, created, active }: AccessKey): string =>
  `…${id.slice(-4)} of ${created.slice(0, 10)}${active ? '' : ', inactive'}`

function removal(place: AwsPlace, user: string, key: AccessKey): Change {
  const drop = aws(place, 'iam', 'delete-access-key', { UserName: user, AccessKeyId: key.id })
  const left = listed(place, user, `length(AccessKeyMetadata[?AccessKeyId=='${key.id}'])`)
  const gone = awsUntil(left, '0', { say: `access key of ${user}`, seconds: 60 })
  const untag = aws(place, 'iam', 'untag-user', { UserName: user, TagKeys: [keyTag(key.id)] })
  // Whoever else was given it cannot sign in any more.
  return remove(`access key ${tell(key)} of ${user}`, [drop, gone, untag], { risk: 'downtime', explain })
}

const listed = (place: AwsPlace, user: string, query: string): Shell =>
  aws(place, 'iam', 'list-access-keys', { UserName: user }, { query })

/**
 * Makes a key and hands it over: what the CLI prints goes into a variable of the shell and from there by a pipe
 * (`printf` is the shell's own, no process), so that no argument, file or output here ever holds the secret half.
 * Its id goes into the user's tag before anything else; what cannot be noted or kept is deleted again at once.
 */
function makeAndKeep(place: AwsPlace, user: string, store: KeyStore): Shell {
  const query = 'AccessKey.[AccessKeyId,SecretAccessKey]'
  const make = aws(place, 'iam', 'create-access-key', { UserName: user }, { query })
  const [of, where] = [sh`--user-name ${user}`, awsWhere(place)]
  const tag = sh`aws iam tag-user ${of} --tags Key=${keyTag('')}"$id",Value=made ${where}`
  return sh`made=$(${make}) || exit
id=\${made%%[!A-Z0-9]*}
drop() {
  printf '%s\\n' "$said" >&2
  aws iam delete-access-key ${of} --access-key-id "$id" ${where} &&
    echo "the key could not be $1, and was deleted again" >&2
  aws iam untag-user ${of} --tag-keys ${keyTag('')}"$id" ${where} 2>/dev/null
  exit "$code"
}
said=$(${tag} 2>&1) || { code=$?; drop 'noted in a tag of its user'; }
if said=$(printf '%s\\n' "$made" | { ${store.keep}; } 2>&1); then
  echo "kept in "${store.name}
else
  code=$?
  case $said in *"\${made#"$id"?}"*) said='what was said holds the key and is not shown' ;; esac
  drop ${`kept in ${store.name}`}
fi`
}
