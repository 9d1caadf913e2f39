import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { diffLine, joinManifests } from '@infra/shared/command/kubectl'
import { secret } from '@infra/shared/command/secret'
import { collect } from '@infra/shared/engine/declaration'
import { isConverged, makePlan, type Work } from '@infra/shared/engine/plan'
import { sampleEnv } from '@infra/shared/env/sample'
import cluster from '../../cluster/cluster.ts'
import { type ClusterEnv, clusterSchema } from '../../cluster/env/env.ts'
import { startKube } from '../lab/kube/kube.ts'
import { settle } from '../lab/kube-steps.ts'
import { inTurn, ratioLine } from './measure.ts'

/** A plan of the cluster's objects that finds nothing to do, against one `kubectl diff` of the same objects. */
export async function benchKubernetes(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const kube = await startKube()
  try {
    Object.assign(process.env, { PATH: kube.env.PATH })
    const env: ClusterEnv = {
      ...sampleEnv(clusterSchema),
      ...{
        KUBECONFIG: kube.kubeconfig,
        KUBE_CONTEXT: 'lab',
        DISCORD_BOT_IMAGE: 'bot:1',
        DEV_SANDBOX_IMAGE: 'sandbox:1',
      },
      ...{ BOT_AWS_ACCESS_KEY_ID: secret('AKIAIOSFODNN7EXAMPLE'), BOT_AWS_SECRET_ACCESS_KEY: secret('x'.repeat(40)) },
    }
    const { context } = cluster.open({ env: env as never, offline: false, folder })
    const scripts = cluster.scripts.filter(({ tags }) => tags.includes('workloads'))
    // Pods do not matter to the question, nor does the pull secret, which is AWS's.
    const work: Work[] = collect(cluster.scripts, context, scripts).map(({ script, steps }) => ({
      script,
      steps: steps.filter(({ id }) => id.startsWith('manifests')),
    }))
    await settle(work)
    const texts = work
      .flatMap(({ steps }) => steps.flatMap(({ ask }) => Object.values(ask)))
      .flatMap(({ command }) => (command.line === diffLine.line && command.stdin ? [command.stdin] : []))
    const file = join(folder, 'objects.json')
    writeFileSync(file, revealText(joinManifests(texts)), { mode: 0o600 })
    const bare = ['diff', '--server-side', '--force-conflicts', '--field-manager=infra', '-f', file]
    const times = await inTurn(15, {
      plan: async () => {
        if (!isConverged(await makePlan(work, () => {}))) throw new Error('bench: it is not converged')
      },
      diff: async () => {
        const { code, stderr } = await kube.kubectl(bare)
        // It shows what stands in for values that only the cluster knows.
        if (code > 1) throw new Error(`bench: kubectl diff ended with ${code}: ${stderr}`)
      },
    })
    console.log(ratioLine('no-op plan of Kubernetes / one kubectl diff', times.plan ?? [], times.diff ?? [], 1.5))
  } finally {
    await kube.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
