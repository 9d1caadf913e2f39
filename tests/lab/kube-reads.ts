import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Command } from '@infra/shared/command/command'
import { isKubeGet, type KubeGetCommand } from '@infra/shared/command/kube-get'
import type { Question } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { configMapData, configText } from '@infra/shared/facts/kubernetes/config-map'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { jobState } from '@infra/shared/facts/kubernetes/job'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespaceState, terminatingNamespaces } from '@infra/shared/facts/kubernetes/namespace'
import { nodeStates } from '@infra/shared/facts/kubernetes/nodes'
import { ownExtension, ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { storageState } from '@infra/shared/facts/kubernetes/storage'
import { volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { startApiProxy } from '@infra/shared/targets/kubernetes/api-proxy'
import { readByApi } from '@infra/shared/targets/kubernetes/api-reads'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { expect, it } from 'vitest'
import type { KubeLab } from './kube/kube.ts'
import type { useKube } from './kube-steps.ts'
import { space } from './manifests-objects.ts'
import { routeKind } from './stoat/route-kind.ts'

/** Asks what is a `kubectl get` through the proxy and by a kubectl for each: the answers are the same. Gives their lines. */
export async function assertAgree(kube: KubeLab, on: Target, commands: readonly Command[]): Promise<string[]> {
  const gets = [...new Map(commands.filter(isKubeGet).map((command) => [command.line, command])).values()]
  const { get, close } = await startApiProxy('lab', kube.env)
  try {
    for (const command of gets) {
      const own = await readByApi(command.request, get)
      // One question alone is asked by kubectl itself.
      const [theirs] = await on.ask([command])
      expect([command.line, own?.code, shapeOf(command, own?.stdout)]).toEqual([
        command.line,
        theirs?.code,
        shapeOf(command, theirs?.stdout),
      ])
      if (own?.code !== 0) expect(own?.stderr.trim()).toBe(theirs?.stderr.trim().split('\n').at(-1))
    }
  } finally {
    await close()
  }
  return gets.map(({ line }) => line)
}

/** What is printed, without what a node changes every few seconds. */
function shapeOf({ request: { print } }: KubeGetCommand, stdout = ''): unknown {
  if (print.as === 'value' || stdout === '') return stdout
  if (print.as === 'columns') return stdout.split('\n').map((line) => line.trim().split(/\s+/))
  const whole = JSON.parse(stdout, (key, value) =>
    /^(resourceVersion|lastHeartbeatTime)$/.test(key) ? undefined : value,
  )
  return whole.kind === 'List' ? whole.items : whole
}

const route = 'httproutes.gateway.networking.k8s.io'
const questions: readonly Question<unknown>[] = [
  ...[ownObjects('lab'), ownObjects('nobody'), ownExtension('lab', route)],
  ...[secretValues(space, 'web-secrets'), secretValues(space, 'none'), secretValues('nowhere', 'web-secrets')],
  ...[configText(space, 'kube-root-ca.crt', 'ca.crt'), configText(space, 'kube-root-ca.crt', 'none')],
  ...[configText(space, 'none', 'ca.crt'), configMapData(space, 'kube-root-ca.crt'), jobState(space, 'none')],
  ...[serviceAddress(space, 'web'), workloadImage(space, 'deployment/web'), workloadImage(space, 'deployment/none')],
  ...[namespaceState(space), namespaceState('nowhere'), terminatingNamespaces([space, 'nowhere', 'default'])],
  ...[nodeStates(), storageState(space), volumeClaims(space), volumeClaims('nowhere'), podStates(space)],
  ...[podStates('kube-system'), containerStarts(space)],
]

/** Reads that are asked for at once, of what the manifests have made. */
export function readTests(lab: ReturnType<typeof useKube>): void {
  const commands = questions.map(({ command }) => command)

  /** A way in on which every call of kubectl is noted; `user` is who is asked as. */
  function noting(user?: string) {
    const [folder, log] = [join(lab.folder, 'noting'), join(lab.folder, 'calls')]
    mkdirSync(folder, { recursive: true })
    rmSync(log, { force: true })
    const real = lab.kube.env.PATH?.split(':')[0]
    writeFileSync(join(folder, 'kubectl'), `#!/bin/sh\necho "$@" >>${log}\nexec ${real}/kubectl "$@"\n`)
    chmodSync(join(folder, 'kubectl'), 0o755)
    const config = JSON.parse(readFileSync(lab.kube.kubeconfig, 'utf8'))
    if (user !== undefined) config.users[0].user.as = user
    const file = join(lab.folder, 'noting-config')
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
    const env = { PATH: `${folder}:${process.env.PATH}` }
    return {
      on: lab.open({ access: () => readAccess(file, 'lab'), env }),
      env: { ...env, KUBECONFIG: file },
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    }
  }

  it('are answered as by a kubectl for each, whether it is there or not', async () => {
    expect(await assertAgree(lab.kube, lab.open(), commands)).toHaveLength(questions.length)
    await lab.kubectl('apply -f -', JSON.stringify(routeKind))
    await lab.kubectl(`wait crd/${route} --for=condition=Established --timeout=60s`)
    const labels = { 'app.kubernetes.io/managed-by': 'infra', 'app.kubernetes.io/part-of': 'lab' }
    const one = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'one', labels } }
    await lab.kubectl(`apply -n ${space} -f -`, JSON.stringify(one))
    await assertAgree(lab.kube, lab.open(), [ownExtension('lab', route).command])
    await lab.kubectl(`delete crd ${route}`)
  })

  it('are one process, which lets nobody write', async () => {
    const { on, env, calls } = noting()
    const found = await on.ask(commands)
    expect(found.filter(({ code }) => code !== 0)).toHaveLength(1)
    expect(calls()).toEqual([expect.stringContaining('proxy --unix-socket=')])
    const { close } = await startApiProxy('lab', env)
    const socketPath = /--unix-socket=(\S+)/.exec(calls().at(-1) ?? '')?.[1] ?? ''
    const status = await new Promise((resolve, reject) => {
      const path = `/api/v1/namespaces/${space}/configmaps`
      const body = JSON.stringify({ metadata: { name: 'made' } })
      request({ socketPath, path, method: 'POST', headers: { host: 'localhost', 'content-type': 'application/json' } })
        .on('response', ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end(body)
    })
    await close()
    expect(status).toBe(403)
  })

  it('of which one is forbidden fail by that one, and the others need no kubectl of their own', async () => {
    await lab.kubectl('create clusterrole looks --verb=get,list --resource=namespaces,nodes')
    await lab.kubectl('create clusterrolebinding looks --clusterrole=looks --user=ana')
    const allowed = [namespaceState(space).command, nodeStates().command]
    const { on, calls } = noting('ana')
    expect((await on.ask(allowed)).map(({ code }) => code)).toEqual([0, 0])
    expect(calls()).toHaveLength(1)
    const secret = secretValues(space, 'web-secrets').command
    await expect(on.ask([...allowed, secret])).rejects.toThrow(`user ana may not get secrets in namespace ${space}`)
    const alone = calls().filter((line) => line.includes(' get '))
    expect(alone).toEqual([expect.stringContaining('get secret web-secrets')])
  })
}
