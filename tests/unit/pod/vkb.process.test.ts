import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { expect, test } from 'vitest'
import type { PodEnv } from '../../../pod/env/env.ts'
import { vkbVariables } from '../../../pod/valence/vkb.ts'
import { tempFolder } from '../../support/temp.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'

test('whoever runs Valence by hand with its settings, root too, leaves no byte code in the checkout', () => {
  const { env } = loadPod({ '.env.pod': podFile() })
  const folder = tempFolder()
  writeFileSync(join(folder, 'vkb.env'), revealText(vkbVariables(env as PodEnv)))
  writeFileSync(join(folder, 'health.py'), 'ok = True\n')
  writeFileSync(join(folder, 'main.py'), 'import health\nprint(health.ok)\n')
  const run = (line: string) => {
    const { stdout, stderr } = spawnSync('env', ['-u', 'PYTHONDONTWRITEBYTECODE', 'sh', '-c', line], {
      cwd: folder,
      encoding: 'utf8',
    })
    return [stdout, stderr, existsSync(join(folder, '__pycache__'))]
  }
  expect(run('. ./vkb.env && python3 -m main')).toEqual(['True\n', '', false])
  expect(run('python3 -m main')).toEqual(['True\n', '', true])
})
