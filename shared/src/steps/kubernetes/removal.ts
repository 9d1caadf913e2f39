import { explainKubectl as explain, keyOf, kubectlDelete, type ObjectRef, sayObject } from '../../command/kubectl.ts'
import { type Change, changes, noting, type Risk, remove, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { namespaceContents } from '../../facts/kubernetes/contents.ts'
import { otherMakers } from '../../facts/kubernetes/makers.ts'
import { podNeeds } from '../../facts/kubernetes/needs.ts'
import { ownExtension, ownObjects } from '../../facts/kubernetes/objects.ts'
import { volumeClaims } from '../../facts/kubernetes/volumes.ts'

export interface KubeRemoval {
  readonly workspace: string
  readonly namespace: string
  /** The apps whose volumes are ours, although a StatefulSet made them and not we. */
  readonly apps: readonly string[]
  /** What somebody has typed: names of volumes, and of what was adopted ({@link adoptedName}). The others are kept. */
  readonly confirmed: readonly string[]
  /**
   * Secrets without which volumes, and copies of them, cannot be read: each stays as long as a volume does, and after that
   * until its name is typed. `copy` tells how to keep what is in it.
   */
  readonly keys?: readonly { readonly name: string; readonly copy: string }[]
  /** ConfigMaps and Secrets that tell of what is in the volumes: they stay as long as a volume does. */
  readonly withVolumes?: readonly string[]
  /** A kind that not every cluster knows, of which there may be objects too. */
  readonly extension?: string
}

/** `deployment/bot`: by this an object that was there before has to be named. */
export const adoptedName = ({ kind, name }: ObjectRef): string => `${kind.toLowerCase()}/${name}`

// What runs goes first, then what it needed; what holds data, and all the rest, last.
const order = [
  ['CronJob', 'Job', 'HTTPRoute', 'Deployment', 'StatefulSet', 'Service'],
  [
    'NetworkPolicy',
    'ConfigMap',
    'Secret',
    'RoleBinding',
    'Role',
    'ClusterRoleBinding',
    'ClusterRole',
    'ServiceAccount',
  ],
].flat()

const downtime: readonly string[] = ['HTTPRoute', 'Deployment', 'StatefulSet', 'Service']

/**
 * No objects of a workspace, by its labels. What others had made, and volumes, are kept unless their names were typed;
 * the namespace as long as there is anything else in it.
 */
export function noObjects(on: Target, options: KubeRemoval): Step {
  const { workspace, namespace, apps, confirmed, keys = [], withVolumes = [], extension } = options
  return step({
    id: `no objects of ${workspace}`,
    on,
    ask: {
      own: ownObjects(workspace),
      makers: otherMakers(workspace),
      needs: podNeeds(workspace),
      claims: volumeClaims(namespace),
      contents: namespaceContents(namespace),
      ...(extension !== undefined && { more: ownExtension(workspace, extension) }),
    },
    plan({ own: known, more = [], makers, needs = new Map(), claims, contents }) {
      const own = [...known, ...more]
      const gone = (ref: ObjectRef, risk: Risk, say = sayObject(ref)): Change =>
        remove(say, kubectlDelete(ref), { risk, explain })
      const volume = (name: string): ObjectRef => ({ kind: 'PersistentVolumeClaim', namespace, name })
      const keyed = new Set(own.map(keyOf))
      const ours = claims.filter(({ name, app }) => keyed.has(keyOf(volume(name))) || apps.includes(app ?? ''))
      const [toPrune, kept] = parted(ours, ({ name }) => confirmed.includes(name))
      const isKept = ({ kind, name }: ObjectRef) =>
        kind === 'Secret' && isKey(options, name)
          ? kept.length > 0 || !confirmed.includes(name)
          : (kind === 'ConfigMap' || kind === 'Secret') && kept.length > 0 && withVolumes.includes(name)
      const [free, adopted] = parted(
        order.flatMap((kind) => own.filter((one) => one.kind === kind && !isKept(one))),
        (one) =>
          !makers.has(keyOf(one)) ||
          confirmed.includes(adoptedName(one)) ||
          (one.kind === 'Secret' && isKey(options, one.name)),
      )
      // What is kept would not start again without these.
      const neededBy = (ref: ObjectRef) => adopted.find((one) => needs.get(keyOf(one))?.has(keyOf(ref)))
      const [needed, plain] = parted(free, (one) => neededBy(one) !== undefined)
      const place = own.find(({ kind, name }) => kind === 'Namespace' && name === namespace)
      const counted = [...plain, ...ours.map(({ name }) => volume(name)), ...adopted, ...needed, ...own.filter(isKept)]
      const goes = new Set(counted.map(keyOf))
      const others = contents.objects.filter((one) => !goes.has(keyOf({ ...one, namespace })))
      const stays = place && whyKept(place, { others, untold: contents.untold, makers, confirmed })
      const empty = kept.length === 0 && !own.some(isKept) && !adopted.some((one) => one.namespace === namespace)
      const list = [
        ...plain.map((one) => gone(one, makers.has(keyOf(one)) || isKey(options, one.name) ? 'data' : riskOf(one))),
        ...toPrune.map(({ name, size }) => gone(volume(name), 'data', `volume ${name} (${size}), all it holds`)),
        ...(place && empty && stays === undefined ? [gone(place, 'data')] : []),
      ]
      const notes = [
        ...kept.map(({ name, size }) => `volume ${name} (${size}) is kept, with what it holds, and is billed on`),
        ...own
          .filter(isKept)
          .map((one) =>
            one.kind === 'Secret' && isKey(options, one.name)
              ? tellKey(one.name, keys, kept.length > 0)
              : `${sayObject(one)} is kept: it tells of the volumes`,
          ),
        ...adopted.map((one) => tellAdopted(one, makers)),
        ...needed.map((one) => `${sayObject(one)} is kept: ${sayObject(neededBy(one) ?? one)} needs it`),
        ...(stays === undefined ? [] : [`namespace ${namespace} is kept: ${stays}`]),
      ]
      return noting(changes(list, 'there are none'), notes)
    },
  })
}

const isKey = ({ keys = [] }: KubeRemoval, name: string) => keys.some((one) => one.name === name)

const riskOf = ({ kind }: ObjectRef): Risk => (downtime.includes(kind) ? 'downtime' : 'safe')

function tellKey(name: string, keys: NonNullable<KubeRemoval['keys']>, volumes: boolean): string {
  const copy = keys.find((one) => one.name === name)?.copy
  return volumes
    ? `secret ${name} is kept: without it the volumes cannot be read (a copy: ${copy})`
    : `secret ${name} is kept: without it no copy of the volumes can be read (a copy: ${copy}); --data --confirm ${name} takes it too`
}

const tellAdopted = (one: ObjectRef, makers: ReadonlyMap<string, string>): string =>
  `${sayObject(one)} is kept: ${makers.get(keyOf(one))} had made it; --data --confirm ${adoptedName(one)} takes it too`

interface Reasons {
  readonly others: readonly ObjectRef[]
  readonly untold: string | undefined
  readonly makers: ReadonlyMap<string, string>
  readonly confirmed: readonly string[]
}

/** How many of what others keep are told by name. */
const most = 12

/** Why a namespace stays when our objects go; undefined when nothing speaks for it. */
function whyKept(place: ObjectRef, { others, untold, makers, confirmed }: Reasons): string | undefined {
  const maker = makers.get(keyOf(place))
  const named = others.slice(0, most).map(sayObject).join(', ')
  const more = others.length > most ? ` and ${others.length - most} more` : ''
  if (others.length > 0) return `${named}${more} ${others.length === 1 ? 'is' : 'are'} not ours`
  if (untold !== undefined) return `not all that is in it can be listed: ${untold}`
  if (maker === undefined || confirmed.includes(adoptedName(place))) return undefined
  return `${maker} had made it; --data --confirm ${adoptedName(place)} takes it too`
}

function parted<T>(list: readonly T[], first: (one: T) => boolean): [T[], T[]] {
  return [list.filter(first), list.filter((one) => !first(one))]
}
