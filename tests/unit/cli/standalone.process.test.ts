import { expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

test.each([
  ['cluster/scripts/70-redis.ts', '--prune', 'redis'],
  ['pod/scripts/00-droplet.ts', '--write-env', 'VALENCE_POD_IP in .env.pod'],
])('%s by itself takes %s, as its workspace does', async (file, option, planned) => {
  const root = tempFolder()
  const alone = (...args: string[]) => runCli('none', args, { root, file })
  const [shown, help, wrong] = await Promise.all([alone('--check', option), alone('--help'), alone(`${option}s`)])
  expect(shown, shown.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(planned) })
  expect(help.stdout).toContain(option)
  expect(wrong).toMatchObject({ code: 64, stderr: expect.stringContaining(`Did you mean ${option}?`) })
})
