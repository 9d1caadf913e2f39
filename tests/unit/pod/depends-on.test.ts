import { collect } from '@infra/shared/engine/declaration'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import type { PodEnv } from '../../../pod/env/env.ts'
import common from '../../../pod/scripts/20-common.ts'
import vkb from '../../../pod/scripts/50-vkb.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'

test('what the knowledge base reads are steps of the script before it', () => {
  const { env } = loadPod({ '.env.pod': podFile() })
  const work = collect([common, vkb], { env: env as PodEnv, host: blank('a new host') })
  const [before, after] = work.map(({ steps }) => steps)
  const named = new Set(after?.flatMap(({ dependsOn }) => dependsOn.filter((one) => typeof one === 'string')))
  expect(named.size).toBe(2)
  expect(before?.map(({ id }) => id)).toEqual(expect.arrayContaining([...named]))
})
