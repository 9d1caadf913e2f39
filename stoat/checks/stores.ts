import { sh } from '@infra/shared/command/sh'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { podAnswer } from '@infra/shared/facts/kubernetes/answers'
import { type JobState, jobState } from '@infra/shared/facts/kubernetes/job'
import { type VolumeRoom, volumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import { claimedAt } from '@infra/shared/facts/kubernetes/volumes'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { databaseCheck } from '../guards/database.ts'
import { stoatSecret } from '../keys.ts'
import { storeWorkloads } from '../manifests/stores.ts'
import { bucketJob, stores } from '../services.ts'

/** Seconds for what starts rabbitmqctl: an Erlang machine each time, on the half a processor that the broker may use. */
export const brokerSeconds = 60

/** What the stores hold, and whether they can hold more: that they run says nothing of it. */
export function storeChecks(context: StoatContext): readonly Check[] {
  const { env, kube } = context
  const claim = env.STOAT_S3_ENDPOINT === undefined ? `data-${stores.minio.name}-0` : undefined
  return [
    check(kube, {
      id: 'datastores.room',
      about: 'the volumes of the stores have room',
      remedy: `Remove what is not needed, or have the volume grow, which is billed and can never be undone: kubectl patch persistentvolumeclaim NAME -n ${namespace} -p '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}'. The variable of its size in .env.stoat stays as it is.`,
      ask: { room: volumeRoom(namespace) },
      judge: ({ room }) =>
        judgeRoom(
          storeWorkloads(env).map((workload) => workload.replace(/^.*\//, '')),
          room,
        ),
    }),
    brokerUserCheck(kube),
    check(kube, {
      id: 'buckets.job',
      about: 'the Job that makes the bucket has succeeded',
      remedy: `kubectl logs -n ${namespace} job/${bucketJob}; npm run deploy -w stoat -- --tags buckets makes it again.`,
      ask: {
        job: jobState(namespace, bucketJob),
        ...(claim !== undefined && { claimed: claimedAt(namespace, claim) }),
      },
      judge: ({ job, claimed }) => judgeBucket(job, (claimed as number | null | undefined) ?? null, claim),
    }),
    databaseCheck(context),
  ]
}

/** By the Job that makes the bucket: one that is older than the volume has made none on it. */
export function judgeBucket(job: JobState | null, claimed: number | null, claim: string | undefined): Finding {
  if (job?.result !== 'succeeded') return fail(job?.result ?? 'there is none')
  if (claimed !== null && claimed > job.made)
    return fail(`the volume ${claim} is younger than it: the bucket is not there, nor are the files of the one before`)
  return ok('succeeded')
}

const mib = 1024 ** 2
const gib = 1024 ** 3
/** Less than this, in bytes, and RabbitMQ takes no message any more (disk_free_limit is 50 MB). */
const least = 64 * mib

/** Whether every store can still write. */
export function judgeRoom(
  names: readonly string[],
  room: ReadonlyMap<string, VolumeRoom> | { readonly untried: string },
): Finding {
  if ('untried' in room) return warn(`not measured: ${room.untried}`)
  const found = names.flatMap((name) => {
    const volume = room.get(`data-${name}-0`)
    if (!volume) return []
    const { capacity, available, outOfInodes } = volume
    const full = outOfInodes || available < Math.max(least, Math.min(gib, capacity * 0.02))
    const told = `${name}: ${outOfInodes ? 'no file can be made' : `${Math.round(available / mib)}Mi of ${Math.round(capacity / mib)}Mi left`} on volume data-${name}-0`
    return [{ name, told, full, low: available < Math.min(5 * gib, capacity * 0.15) }]
  })
  const full = found.filter((one) => one.full)
  if (full.length > 0) return fail(`full: ${full.map(({ told }) => told).join('; ')}`)
  const low = found.filter((one) => one.low)
  if (low.length > 0) return warn(low.map(({ told }) => told).join('; '))
  const unmeasured = names.filter((name) => !found.some((one) => one.name === name))
  return ok(unmeasured.length > 0 ? `not measured: ${unmeasured.join(', ')}` : 'all of them')
}

/**
 * Prints `same` where the broker's user has the password of the Secret. Not of the file that is mounted: kubelet brings that
 * up to date a minute later. Neither hash is an argument of any program.
 */
const comparison = `hash=$(base64 -d | sed 's/.*"password_hash":"\\([^"]*\\)".*/\\1/')
[ -n "$hash" ] || { echo 'it is not known: the Secret tells none'; exit 1; }
all=$(rabbitmqctl -q export_definitions -) || exit 1
case $all in *"$hash"*) echo same ;; *) echo other ;; esac`

const definitions = sh`kubectl get secret ${stoatSecret} -n ${namespace} -o ${'jsonpath={.data.rabbitmq-definitions\\.json}'}`

function brokerUserCheck(kube: StoatContext['kube']): Check {
  return check(kube, {
    id: 'datastores.rabbitmq-user',
    about: "RabbitMQ's user has the password of stoat-secrets",
    remedy: 'npm run restart -w stoat -- rabbitmq has it read its users anew; then npm run deploy -w stoat.',
    ask: {
      answer: podAnswer(namespace, `${stores.rabbitmq.name}-0`, ['sh', '-c', comparison], {
        from: definitions,
        seconds: brokerSeconds,
      }),
    },
    judge({ answer: { ok: answered, text } }) {
      if (answered && text === 'same') return ok('the same')
      return fail(answered ? 'it has another: programs that start anew do not get in' : text)
    },
  })
}
