import { type KubeObject, kubectlApply, kubectlDelete, ownLabels } from '@infra/shared/command/kubectl'
import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { converged, type Question, refuse, type Step, step } from '@infra/shared/engine/step'
import { configMapData } from '@infra/shared/facts/kubernetes/config-map'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { restoreConfigMap } from '../services.ts'

/** Which archive a restore that came to no end was putting back; null where there is none such. */
export function unfinishedRestore(): Question<string | null> {
  const { command, parse } = configMapData(namespace, restoreConfigMap)
  return { command, parse: (output) => parse(output)?.archive ?? null }
}

/** The programs must not be started on a database and files that are only half those of a backup. */
export function noUnfinishedRestore({ kube }: Pick<StoatContext, 'kube'>): Step {
  return step({
    id: 'no unfinished restore of Stoat',
    on: kube,
    ask: { archive: unfinishedRestore() },
    plan: ({ archive }) =>
      archive === null
        ? converged('none')
        : refuse(
            `a restore of ${archive} came to no end: its database and its files may be half in place`,
            `${sh`npm run restore -w stoat -- ${`FOLDER/${archive}`}`.line} puts it back from the beginning (FOLDER: where you keep it). Where what is there shall stay all the same: kubectl delete configmap ${restoreConfigMap} -n ${namespace}`,
          ),
  })
}

/** Notes that a restore has begun: until {@link endRestore} no deploy starts the programs. */
export async function beginRestore({ kube }: Pick<StoatContext, 'kube'>, archive: string): Promise<void> {
  const labels = { app: restoreConfigMap, ...ownLabels({ workspace: 'stoat', script: 'restore' }) }
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: restoreConfigMap, namespace, labels },
    data: { archive, began: new Date().toISOString() },
  }
  const [output] = await kube.run([kubectlApply([object])], () => {})
  if (output?.code !== 0)
    throw new Failure('error', `the cluster did not keep ${restoreConfigMap}; nothing was changed: ${output?.stderr}`)
}

export async function endRestore({ kube }: Pick<StoatContext, 'kube'>): Promise<void> {
  await kube.run([kubectlDelete({ kind: 'ConfigMap', namespace, name: restoreConfigMap })], () => {})
}
