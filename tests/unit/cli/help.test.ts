import { commandsOf, helpText, overview } from '@infra/shared/cli/help'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import provision from '../../../pod/provision/commands.ts'
import stoat from '../../../stoat/commands/index.ts'

const entries = [pod, cluster, stoat, provision]
const helps = entries.flatMap((entry) => [
  { of: entry.name, text: overview(entry) },
  ...Object.keys(commandsOf(entry)).map((command) => ({
    of: `${command} of ${entry.name}`,
    text: helpText(command, entry),
  })),
])

describe('a help that goes to no terminal', () => {
  test.each(helps)('is no wider than 80 columns: $of', ({ text }) => {
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})

describe('a help', () => {
  test.each([
    [pod, 'SERVICE: vkb, synapse, '],
    [cluster, 'SERVICE: bot, sandbox, redis'],
    [stoat, 'SERVICE: '],
  ])('of logs lists the services: %#', (entry, line) => {
    expect(helpText('logs', entry)).toContain(`\n${line}`)
  })

  test('speaks of steps only where there are some', () => {
    const says = (command: string) => /unchanged steps/.test(helpText(command, pod))
    expect(['plan', 'deploy', 'verify', 'ssh', 'logs'].map(says)).toEqual([true, true, false, false, false])
  })

  test('of provision names its subject', () => {
    expect(helpText('deploy', provision).split('\n')[0]).toMatch(/^the droplet of the pod/)
  })
})
