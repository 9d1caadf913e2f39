import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sampleEnv } from '@infra/shared/env/sample'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { expect, test } from 'vitest'
import { type ClusterEnv, clusterSchema } from '../../../cluster/env/env.ts'
import { latestOf, openKubernetes } from '../../../cluster/parts/kubernetes.ts'
import { tempFolder } from '../../support/temp.ts'

test('what an image that is still to be built will change is asked for, so that the plan shows it', async () => {
  const folder = tempFolder()
  const kubeconfig = {
    clusters: [{ name: 'one', cluster: { server: 'https://one.example.com' } }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
  }
  writeFileSync(join(folder, 'config'), JSON.stringify(kubeconfig))
  // Stands for kubectl: gives back what it is asked about.
  writeFileSync(join(folder, 'kubectl'), '#!/bin/sh\ncat\n', { mode: 0o755 })
  process.env.PATH = `${folder}:${process.env.PATH}`
  const env = { ...(sampleEnv(clusterSchema) as ClusterEnv), KUBE_CONTEXT: 'one', KUBECONFIG: join(folder, 'config') }
  const stderr = 'An error occurred (ImageNotFoundException) when calling the DescribeImages operation: none'
  const ask = async () => [{ code: 254, stdout: '', stderr }]
  const aws = { ...blankAws({ region: env.AWS_REGION }), blank: false, ask }
  const kube = openKubernetes(env, { aws, doks: undefined, offline: false, folder })
  const [answer] = await kube.ask([
    { line: 'kubectl get -f -', stdin: { parts: [`image: ${latestOf('discord-bot')}`] } },
  ])
  expect(answer).toMatchObject({ code: 0, stdout: 'image: image.invalid/discord-bot:not-built-yet' })
})
