import { createHash, randomBytes } from 'node:crypto'
import { type KubeObject, kubectlApply, ownLabels } from '@infra/shared/command/kubectl'
import { askOf } from '@infra/shared/engine/ask'
import { type Check, type Finding, fail, ok, type ProbeRun, warn } from '@infra/shared/engine/check'
import { Failure } from '@infra/shared/engine/failure'
import { configMapData } from '@infra/shared/facts/kubernetes/config-map'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { canaryConfigMap } from '../services.ts'
import type { Through } from './entrance.ts'

/** A small file that was stored once and is read by every `verify`: another key, a lost bucket or database is seen by it. */
export interface Canary {
  /** Below the domain. */
  readonly path: string
  readonly sha256: string
}

/** The canary file that was stored; undefined where none is yet. Throws where that could not be read. */
export async function findCanary({ kube }: Pick<StoatContext, 'kube'>): Promise<Canary | undefined> {
  const { data } = await askOf(kube, { data: configMapData(namespace, canaryConfigMap) })
  const { path, sha256 } = data ?? {}
  return path === undefined || sha256 === undefined ? undefined : { path, sha256 }
}

/** Keeps in the cluster where the canary file is. The cluster says it and not the database, whose loss it shall show. */
export async function keepCanary({ kube }: Pick<StoatContext, 'kube'>, { path, sha256 }: Canary): Promise<void> {
  const labels = { app: canaryConfigMap, ...ownLabels({ workspace: 'stoat', script: 'canary' }) }
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: canaryConfigMap, namespace, labels },
    data: { path, sha256 },
  }
  const [output] = await kube.run([kubectlApply([object])], () => {})
  if (output?.code !== 0) throw new Failure('error', `the cluster did not keep ${canaryConfigMap}: ${output?.stderr}`)
}

/** What to store as a canary: random, since equal files are kept once. */
export const newCanary = (): Buffer => randomBytes(1000)

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** The canary file comes back as it was stored. `before` is waited for: it may store one. */
export function canaryCheck(
  context: StoatContext,
  through: Through,
  before: (run: ProbeRun) => Promise<unknown>,
): Check {
  return {
    id: 'gateway.canary',
    about: 'a file that was stored earlier comes back: the key, the bucket and the database are those of then',
    remedy: `none yet: npm run verify -w stoat -- --smoke stores one. Lost: npm run show-keys -w stoat, npm run logs -w stoat -- autumn; where the files were given up, kubectl delete configmap ${canaryConfigMap} -n ${namespace}`,
    async probe(run) {
      await before(run)
      const canary = await findCanary(context)
      if (!canary) return warn('none is stored yet')
      return through(async ({ send }) => judgeCanary(canary, await send(canary.path)))
    },
  }
}

/** What an answer of autumn says of the files that it keeps. */
export function judgeCanary({ sha256 }: Canary, { status, body }: { status: number; body: Buffer }): Finding {
  if (status === 200)
    return digestOf(body) === sha256 ? ok(`${body.length} bytes`) : fail('it comes back as another file')
  if (status === 404) return fail('answers 404: the database does not know it any more')
  if (status === 500) return fail('answers 500: the bucket has lost it, or it was encrypted with another key')
  return fail(`answers ${status}`)
}
