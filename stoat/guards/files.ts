import { converged, type Decision, noting, refuse, type Step, step } from '@infra/shared/engine/step'
import { configText } from '@infra/shared/facts/kubernetes/config-map'
import { findObject, type OwnObject, ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import type { StoatEnv } from '../env/env.ts'
import { configMaps } from '../manifests/config.ts'
import { fileStore } from '../manifests/revolt-toml.ts'
import { stores } from '../services.ts'

/** The files are where Stoat looks for them: another store than before has none of those that were uploaded so far. */
export function filesKept({ kube, env }: Pick<StoatContext, 'kube' | 'env'>): Step {
  return step({
    id: 'files of Stoat',
    on: kube,
    ask: { own: ownObjects('stoat'), config: configText(namespace, configMaps.services, 'Revolt.toml') },
    plan: ({ own, config }) => judgeFiles(env, own, config),
  })
}

/** What is to be said of the place of the files that the environment names, and of the one in force. */
export function judgeFiles(env: StoatEnv, own: readonly OwnObject[], config: string | null): Decision {
  const { endpoint, bucket } = fileStore(env)
  const { name } = stores.minio
  const minio = findObject(own, { kind: 'StatefulSet', namespace, name })
  if (minio && env.STOAT_S3_ENDPOINT !== undefined)
    return refuse(
      `STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are in ${name} (volume data-${name}-0): Stoat would lose sight of them`,
      `Unset STOAT_S3_ENDPOINT, STOAT_S3_ACCESS_KEY_ID and STOAT_S3_SECRET_ACCESS_KEY to keep them there. To move them, copy the bucket with an S3 client (kubectl port-forward service/${name} 9000:9000 -n ${namespace}; npm run show-keys -w stoat tells the password), take MinIO away, which leaves its volume (kubectl delete statefulset/${name} service/${name} -n ${namespace}), and deploy.`,
    )
  const [wasAt, wasIn] = [settingOf(config, 'endpoint'), settingOf(config, 'default_bucket')]
  const place = `bucket ${bucket} at ${endpoint}`
  const moved = wasAt !== undefined && (wasAt !== endpoint || wasIn !== bucket)
  return noting(
    converged(place),
    moved ? [`files that were uploaded so far are in bucket ${wasIn} at ${wasAt}: copy them to ${place}`] : [],
  )
}

/** A value of `[files.s3]` in Revolt.toml, which is written by this project. */
function settingOf(config: string | null, key: string): string | undefined {
  const section = config?.split(/^(?=\[)/m).find((text) => text.startsWith('[files.s3]'))
  return section?.match(new RegExp(`^${key} = "(.*)"$`, 'm'))?.[1]
}
