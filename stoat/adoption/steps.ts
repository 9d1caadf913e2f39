import { text } from '@infra/shared/command/command'
import { explainKubectl as explain, fieldManager, sayObject, secretData } from '@infra/shared/command/kubectl'
import { sh, withStdin } from '@infra/shared/command/sh'
import { type Change, changes, converged, noting, remove, type Step, step, update } from '@infra/shared/engine/step'
import { configMapData } from '@infra/shared/facts/kubernetes/config-map'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { storageState } from '@infra/shared/facts/kubernetes/storage'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { mongodbFits } from '../guards/mongodb.ts'
import { redisPresent } from '../guards/redis.ts'
import { releaseFits } from '../guards/release.ts'
import { stoatSecret } from '../keys.ts'
import { configMaps } from '../manifests/config.ts'
import { stores } from '../services.ts'
import { handOver, keepVolume } from './carry.ts'
import { leftOf, refuseAdoption } from './judge.ts'
import { keysToKeep } from './keys.ts'
import { carried, claimOf, programNames, storeNamed } from './names.ts'
import { madeOurs, takeAway } from './objects.ts'
import { changeOf, notesOfAdoption } from './told.ts'
import { type Claim, claims, mountings, type Volume, volumes } from './volumes.ts'
import { type OriginalWorkload, originalObjects, originalWorkloads, volumeAt } from './workloads.ts'

const held = secretValues(namespace, stoatSecret)
const config = configMapData(namespace, configMaps.services)

/**
 * A platform that another program made under Stoat's names (Terraform), taken to where a deployment goes on: its keys are in
 * the Secret, its pods are gone, and the volumes of MongoDB and MinIO belong to the claims that a deployment looks for.
 */
export function adoptionSteps(context: StoatContext): readonly Step[] {
  const fit = judged(context)
  // What a deployment would be refused for, when Stoat is stopped already.
  const guards = [releaseFits(context), mongodbFits(context)]
  if (context.env.STOAT_REDIS_URL === undefined) guards.push(redisPresent(context))
  const keys = keysTaken(context, [fit, ...guards])
  const programs = programsGone(context, [keys])
  const stored = storesCarried(context, [programs])
  return [fit, ...guards, keys, programs, stored, restGone(context, [stored])]
}

function judged({ kube, env }: StoatContext): Step {
  return step({
    id: 'the platform that is there',
    on: kube,
    ask: { workloads: originalWorkloads, held, config, claims, volumes, mountings, storage: storageState(namespace) },
    plan(found) {
      return (
        refuseAdoption(env, found) ??
        noting(
          converged(found.workloads.length === 0 ? 'none of another program' : `${found.workloads.length} workloads`),
          notesOfAdoption(env, found),
        )
      )
    },
  })
}

function keysTaken({ kube, env }: StoatContext, dependsOn: readonly Step[]): Step {
  return step({
    id: 'keys that are in use',
    on: kube,
    dependsOn,
    ask: { workloads: originalWorkloads, held, config },
    plan(found) {
      // Ours already, by what only a deployment of this project writes.
      if (found.workloads.length === 0 && found.held?.has('rabbitmq-definitions.json'))
        return converged(`in the Secret ${stoatSecret}`)
      const kept = Object.entries(keysToKeep(found, env.STOAT_ENCRYPTION_KEY))
      if (kept.length === 0) return converged(`in the Secret ${stoatSecret}`)
      const data = secretData(Object.fromEntries(kept.map(([name, { value }]) => [name, value])))
      const entries = Object.entries(data).flatMap(([name, value], index) => [
        text`${index === 0 ? '' : ','}${JSON.stringify(name)}:"${value}"`,
      ])
      const patch = entries.reduce((all, one) => text`${all}${one}`, text`{"data":{`)
      const said = kept.map(([name, { from }]) => `${name} (from ${from})`).join(', ')
      const run = [
        sh`kubectl get secret ${stoatSecret} -n ${namespace} >/dev/null 2>&1 || kubectl create secret generic ${stoatSecret} -n ${namespace}`,
        withStdin(
          // kubectl opens it by name, which only a pipe allows.
          sh`cat | kubectl patch secret ${stoatSecret} -n ${namespace} --type=merge --field-manager=${fieldManager} --patch-file=/dev/stdin`,
          text`${patch}}}`,
        ),
      ]
      return changes([update(`secret ${stoatSecret}: ${said}`, run, { explain })], '')
    },
  })
}

function programsGone({ kube, env }: StoatContext, dependsOn: readonly Step[]): Step {
  return step({
    id: 'programs of another maker',
    on: kube,
    dependsOn,
    ask: { workloads: originalWorkloads },
    plan: ({ workloads }) =>
      changes(
        workloads
          .filter(({ name }) => programNames.includes(name))
          .map((one) =>
            remove(`${sayObject(one)}, which a deployment makes anew`, takeAway(one), {
              ...{ risk: 'downtime', explain, diff: changeOf(env, one) },
            }),
          ),
        'there are none',
      ),
  })
}

function storesCarried({ kube, env }: StoatContext, dependsOn: readonly Step[]): Step {
  return step({
    id: 'stores of another maker',
    on: kube,
    dependsOn,
    ask: { workloads: originalWorkloads, claims, volumes },
    plan(found) {
      const names = Object.keys(carried) as (keyof typeof carried)[]
      const list = names.flatMap((store) => carry(store, found))
      const gone = found.workloads.filter(({ name }) => storeNamed(name) !== undefined)
      return changes(
        [
          ...list.filter(({ when }) => when === 'before').map(({ change }) => change),
          ...gone.map((one) => {
            const diff = changeOf(env, one)
            return storeNamed(one.name) === 'rabbitmq'
              ? remove(
                  `${sayObject(one)}, with the messages that wait in it (its data is kept under its pod's host name): notifications that were not sent yet`,
                  takeAway(one),
                  { risk: 'data', explain, diff },
                )
              : remove(`${sayObject(one)}, which a deployment makes anew on its volume`, takeAway(one), {
                  ...{ risk: 'downtime', explain, diff },
                })
          }),
          ...list.filter(({ when }) => when === 'after').map(({ change }) => change),
        ],
        'there are none',
      )
    },
  })
}

interface Facts {
  readonly workloads: readonly OriginalWorkload[]
  readonly claims: readonly Claim[]
  readonly volumes: readonly Volume[]
}

/** What makes the volume of a store belong to the claim that a deployment looks for, from wherever an earlier run stopped. */
function carry(
  store: keyof typeof carried,
  { workloads, claims, volumes }: Facts,
): { when: 'before' | 'after'; change: Change }[] {
  const to = claimOf(store)
  const begun = volumes.find(({ carriedFor }) => carriedFor === to)
  const workload = workloads.find(({ name }) => storeNamed(name) === store)
  const place = workload && volumeAt(workload, carried[store])
  const left = leftOf({ workloads, claims }).find((one) => one.store === store)
  const from = place && 'claim' in place ? place.claim : left?.claim.name
  const claim = claims.find(({ name }) => name === from)
  const volume = begun ?? (from === to ? undefined : volumes.find(({ name }) => name === claim?.volume))
  if (!volume) return []
  return [
    ...(begun ? [] : [{ when: 'before' as const, change: keepVolume(volume, to) }]),
    { when: 'after', change: handOver(volume, { to, app: stores[store].name }) },
  ]
}

function restGone({ kube }: StoatContext, dependsOn: readonly Step[]): Step {
  return step({
    id: 'objects of another maker',
    on: kube,
    dependsOn,
    ask: { objects: originalObjects, workloads: originalWorkloads },
    plan: ({ objects }) =>
      changes(
        objects.map((one) =>
          one.stays
            ? update(`${sayObject(one)} is this project's, and stays as it is`, madeOurs(one), { explain })
            : remove(`${sayObject(one)}, which a deployment makes anew`, takeAway(one), { explain }),
        ),
        'there are none',
      ),
  })
}
