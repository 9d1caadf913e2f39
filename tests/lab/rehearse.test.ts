import { expect, test } from 'vitest'
import { plainEnv, project } from '../support/cli.ts'
import { requireLab, title } from './prerequisites.ts'
import { run } from './run.ts'

const skip = requireLab('kube', 'registry', 'doctl', 'moto', 'stoat')

/** What is typed for a reader, and the rows that the end shows. That of the pod: pod-deploy.test.ts. */
const rehearsals: readonly [workspace: string, typed: readonly string[], rows: readonly string[]][] = [
  [
    'cluster',
    [
      ...['deploy -w cluster -- --create --yes', 'deploy -w cluster -- --yes', 'verify -w cluster'],
      ...['output -w cluster -- discord_messages_queue_url', 'status -w cluster', 'destroy -w cluster -- --yes'],
    ],
    ['boot', 'first deploy', 'second deploy', 'verify', 'destroy'],
  ],
  [
    'stoat',
    [
      'deploy -w cluster -- --create --tags kubernetes,iam,namespace,redis --yes',
      ...['deploy -w stoat -- --yes', 'deploy -w stoat -- --yes', 'verify -w stoat -- --smoke'],
      ...['status -w stoat', 'output -w stoat', 'destroy -w stoat -- --yes'],
    ],
    ['boot', 'cluster', 'first deploy', 'second deploy', 'verify', 'destroy'],
  ],
]

test.skipIf(skip).each(rehearsals)(
  title('a rehearsal of %s, as it is typed, does all that it tells', skip),
  async (workspace, typed, rows) => {
    const { code, stdout, stderr } = await run('npm', ['run', 'rehearse', '-w', workspace], {
      cwd: project,
      env: plainEnv(),
    })
    expect(code, stdout + stderr).toBe(0)
    expect(stdout.match(/^\$ npm run .*/gm)).toEqual(typed.map((line) => `$ npm run ${line}`))
    const end = stdout.slice(stdout.lastIndexOf('The rehearsal succeeded.')).split('\n').slice(1, -1)
    expect(end.map((row) => row.match(/^ {2}(\w+) +(.*?) +[\d.]+ s/)?.slice(1))).toEqual(
      rows.map((row) => [workspace, row]),
    )
    expect(end.find((row) => row.includes('second deploy'))).toMatch(/ 0 changes$/)
  },
)
