import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { type KubeObject, manifestText } from '@infra/shared/command/kubectl'
import { collect } from '@infra/shared/engine/declaration'
import { sampleEnv } from '@infra/shared/env/sample'
import { namespaceObject } from '@infra/shared/platform/namespace'
import { redis } from '../../cluster/manifests/redis.ts'
import { openStoat } from '../../stoat/context.ts'
import { stoatSchema } from '../../stoat/env/env.ts'
import stoat from '../../stoat/stoat.ts'
import { startKube } from '../lab/kube/kube.ts'
import { settle } from '../lab/kube-steps.ts'
import { declaredObjects } from '../lab/stoat/drift.ts'
import { startStoatImages } from '../lab/stoat/images.ts'
import { inTurn, ratioLine } from './measure.ts'

/** A whole deploy of Stoat that finds nothing to do, in this process, against one `kubectl diff` of the same objects. */
export async function benchStoat(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const kube = await startKube()
  try {
    Object.assign(process.env, { PATH: kube.env.PATH })
    await startStoatImages(kube)
    const storage = { size: '1Gi', storageClass: 'do-block-storage', claim: 'data' }
    const file = join(folder, 'objects.json')
    const write = (items: readonly KubeObject[]) =>
      writeFileSync(file, revealText(manifestText(items)), { mode: 0o600 })
    const kubectl = async (words: readonly string[], most = 0) => {
      const { code, stderr } = await kube.kubectl(words)
      if (code > most) throw new Error(`bench: kubectl ${words[0]} ended with ${code}: ${stderr}`)
    }
    write([namespaceObject, ...redis({ image: 'redis:7', ...storage })])
    await kubectl(['apply', '--server-side', '-f', file])
    const env = {
      ...sampleEnv(stoatSchema),
      ...({
        KUBECONFIG: kube.kubeconfig,
        KUBE_CONTEXT: 'lab',
        STOAT_TLS: 'none',
        STOAT_GATEWAY: 'cluster-ip',
      } as const),
      ROLLOUT_TIMEOUT: 240,
    }
    const context = openStoat({ env, offline: false, folder, prune: false, afterCluster: false, smoke: false })
    const work = () => collect(stoat.scripts, context, stoat.scripts)
    await settle(work())
    const masked = ({ data, ...rest }: KubeObject): KubeObject =>
      rest.kind === 'Secret' ? { ...rest, data: { encryption_key: 'eA==' } } : { ...rest, ...(data && { data }) }
    write(declaredObjects(work()).map(masked))
    const times = await inTurn(15, {
      deploy: async () => {
        if ((await settle(work())).made > 0) throw new Error('bench: it is not converged')
      },
      // Values of the Secret stand in no file, so that it tells a difference (1).
      diff: () => kubectl(['diff', '--server-side', '--force-conflicts', '--field-manager=infra', '-f', file], 1),
    })
    console.log(ratioLine('no-op deploy of Stoat / one kubectl diff', times.deploy ?? [], times.diff ?? [], 1.5))
  } finally {
    await kube.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
