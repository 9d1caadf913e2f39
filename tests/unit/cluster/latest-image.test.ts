import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Output } from '@infra/shared/command/command'
import { sampleEnv } from '@infra/shared/env/sample'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { expect, test } from 'vitest'
import { type ClusterEnv, clusterSchema } from '../../../cluster/env/env.ts'
import { latestOf, openKubernetes } from '../../../cluster/parts/kubernetes.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder()
const config = join(folder, 'config')
const kubeconfig = {
  clusters: [{ name: 'one', cluster: { server: 'https://one.example.com' } }],
  contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
}
writeFileSync(config, JSON.stringify(kubeconfig))
const env = { ...(sampleEnv(clusterSchema) as ClusterEnv), KUBE_CONTEXT: 'one', KUBECONFIG: config }

/** The cluster, as it is with an ECR that answers so. */
function cluster(code: string) {
  const stderr = `An error occurred (${code}) when calling the DescribeImages operation: away`
  const answer: Output = { code: 254, stdout: '', stderr }
  const aws = { ...blankAws({ region: env.AWS_REGION }), blank: false, ask: async () => [answer] }
  return openKubernetes(env, { aws, doks: undefined, offline: false, folder })
}
const stdin = { parts: [latestOf('discord-bot')] }

test('an image that is not there yet is told with what builds it, where it is to be applied', async () => {
  const applied = cluster('ImageNotFoundException').run([{ line: 'kubectl apply -f -', stdin }], () => {})
  await expect(applied).rejects.toThrow(/^there is no image discord-bot:latest in ECR yet: .* --tags images builds it$/)
})

test('a fault of ECR does not pass for a missing image', async () => {
  await expect(cluster('ServerException').ask([{ line: 'kubectl diff', stdin }])).rejects.toMatchObject({
    message: 'ECR does not tell which image discord-bot:latest is',
    detail: ['ServerException: away'],
  })
})
