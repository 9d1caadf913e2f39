import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { collect } from '@infra/shared/engine/declaration'
import { writeFile } from '@infra/shared/steps/host/file'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import type { PodEnv } from '../../../pod/env/env.ts'
import pod from '../../../pod/pod.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'

/** What is in a folder of user valence: whoever names it may be led elsewhere by a link. */
const theirs = /(~valence|\/home\/valence|\/opt\/valence\/(repo|venv|config))\/|~\//

/** The parts of a line that root runs itself: a word in quotes that runuser is given is the other account's. */
function rootsParts(line: string): string[] {
  const word = `(?:'[^']*'|\\\\'|[^\\s'|&;()])+`
  const asOther = new RegExp(`runuser -u (?!root\\b|postgres\\b)\\S+ -- (?:sh -c ${word}|sh -s --(?: ${word})*)`, 'g')
  return line.replace(asOther, 'OTHER').split(/&&|\|\||[;|]/)
}

const named = (line: string) => rootsParts(line).filter((part) => theirs.test(part))

test.each([
  ['cp -a /home/valence/.bashrc /var/lib/infra/previous/home/valence/.bashrc', 1],
  ["cd / && runuser -u valence -- sh -c 'cat /home/valence/.bashrc' </dev/null", 0],
  ["runuser -u valence -- sh -c 'true' && chmod 600 /opt/valence/config/vkb.env", 1],
  ['runuser -u valence -- sh -s -- /opt/valence/repo/x v1', 0],
  ['runuser -u root -- sh -c "cat /opt/valence/config/vkb.env"', 1],
  ['chown -R valence: /opt/valence/repo', 0],
])('%s: %i', (line, count) => {
  expect(named(line)).toHaveLength(count)
})

const workOf = (more: Readonly<Record<string, string>>) => {
  const { env } = loadPod({ '.env.pod': podFile(more) })
  return collect(pod.scripts, { env: env as PodEnv, host: blank('a new host') } as never)
}
const work = [...workOf({}), ...workOf({ VALENCE_REPO_TOKEN: 'github_pat_0123456789' })]

describe('root names nothing in a folder that user valence owns', () => {
  test.each(work.flatMap(({ steps }) => steps.map((step) => [step.id, step] as const)))('%s', (_, step) => {
    const questions = Object.values(step.ask)
    const now = Object.fromEntries(
      Object.entries(step.ask).flatMap(([name, { parse }]) => {
        try {
          return [[name, parse(nothing)]]
        } catch {
          return []
        }
      }),
    )
    const isKnown = Object.keys(now).length === questions.length
    const decision = isKnown ? step.plan(now, { pending: [] }) : undefined
    const changes = decision?.kind === 'changes' ? decision.changes : []
    const commands = [...questions.map(({ command }) => command), ...changes.flatMap(({ run }) => run)]
    // The copy that is kept has that path too, below a folder of root's.
    const lines = commands.map(({ line }) => line.replaceAll(/\/var\/lib\/infra\/previous\S*/g, 'KEPT'))
    expect(lines.flatMap(named)).toEqual([])
  })

  test('also where a file is written over another', () => {
    const { line } = writeFile(
      '/home/valence/.bashrc',
      { parts: ['x'] },
      { mode: '0644', owner: 'valence', group: 'valence' },
    )
    expect(named(line.replaceAll(/\/var\/lib\/infra\/previous\S*/g, 'KEPT'))).toEqual([])
    expect(line).toContain('/var/lib/infra/previous/home/valence/.bashrc')
  })
})

describe('a question that another account answers ends, whatever that account put there', () => {
  const asked = work.flatMap(({ steps }) =>
    steps.flatMap((step) =>
      Object.entries(step.ask).map(([name, { command }]) => [step.id, name, command.line] as const),
    ),
  )
  const theirs = asked.filter(([, , line]) => /(runuser -u |setpriv --reuid=)(?!root|postgres)/.test(line))

  test.each(theirs)('%s: %s', (_, __, line) => {
    expect(line).toMatch(/timeout -k 2 15 /)
  })

  test('there are such', () => expect(theirs.length).toBeGreaterThan(5))
})

test('a backup reads each folder as the account whose it is: as root, a link in it would lead anywhere', () => {
  const program = readFileSync(join(import.meta.dirname, '../../../pod/files/backup.sh'), 'utf8').replace(/^#.*$/gm, '')
  const reads = [...program.matchAll(/\btar_as (\S+) ([^|;}\n]+)/g)].map(([, account = '', words = '']) => [
    account,
    words,
  ])
  const owners = { root: /etc\//, 'matrix-synapse': /var\/lib\/matrix-synapse/, valence: /opt\/valence/ }
  expect(reads.map(([account]) => account).sort()).toEqual(['matrix-synapse', 'matrix-synapse', 'root', 'valence'])
  for (const [account, words = ''] of reads)
    expect([account, Object.entries(owners).flatMap(([name, place]) => (place.test(words) ? [name] : []))]).toEqual([
      account,
      [account],
    ])
})
