import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { tableState } from '@infra/shared/facts/aws/dynamodb'
import { ecrImages, imageOf } from '@infra/shared/facts/aws/ecr-images'
import { queueState } from '@infra/shared/facts/aws/sqs'
import { kubeconfigState } from '@infra/shared/facts/kubernetes/kubeconfig'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { podRows, workloadRows } from '@infra/shared/platform/commands/status'
import { assertVisible } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { print, printJson } from '@infra/shared/report/print'
import { age, headingText, megabytes, type Rows, records, sectionText } from '@infra/shared/report/table'
import type { ClusterContext } from '../context.ts'
import { pullSecretOptions } from '../manifests/namespace.ts'
import { tables } from '../scripts/10-dynamodb.ts'
import { deadLettersOf, queues } from '../scripts/20-sqs.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** `status`: one look over all of it. What cannot be asked is told in its place, and the rest all the same. */
export async function runStatus(session: Session): Promise<number> {
  const context = open(session, 'access').context as ClusterContext
  const parts = await Promise.all(
    Object.entries(sections).map(async ([title, look]) => ({ title, ...(await attempt(() => look(context))) })),
  )
  if (session.options.json) {
    const told = parts.map(({ title, rows, error }) => [title, error === undefined ? records(rows) : { error }])
    printJson(Object.fromEntries(told), 2)
  } else {
    const heading = headingText('cluster', session.options.env, [context.aws.name, context.kube.name])
    print([heading, ...parts.map(({ title, rows, error }) => sectionText(title, rows, error))].join('\n\n'))
  }
  const failed = parts.flatMap(({ title, error }) => (error === undefined ? [] : [{ title, error }]))
  for (const why of new Set(failed.map(({ error }) => error))) {
    const titles = failed.flatMap(({ title, error }) => (error === why ? [title] : [])).join(', ')
    session.emit({ type: 'message', level: 'warn', text: `${titles}: ${why}` })
  }
  return failed.length > 0 ? 1 : 0
}

async function attempt(look: () => Promise<Rows>): Promise<{ rows: Rows; error?: string }> {
  try {
    return { rows: await look() }
  } catch (error) {
    return { rows: [], error: error instanceof Error ? error.message : String(error) }
  }
}

const now = () => Date.now() / 1000

const sections: Readonly<Record<string, (context: ClusterContext) => Promise<Rows>>> = {
  async pods(context) {
    const { kube } = context
    await assertVisible(context)
    const { pods } = await askOf(kube, { pods: podStates(namespace) })
    return podRows(pods)
  },
  async workloads(context) {
    const { kube } = context
    await assertVisible(context)
    const { own } = await askOf(kube, { own: ownObjects('cluster') })
    return workloadRows(own)
  },
  async queues({ aws }) {
    const names = queues.flatMap((name) => [name, deadLettersOf(name)])
    const states = await askOf(aws, Object.fromEntries(names.map((name) => [name, queueState(aws.place, name)])))
    const count = (name: string, what: string) => states[name]?.attributes[`ApproximateNumberOf${what}`] ?? ''
    const rows = names.map((name) => [
      name,
      states[name] ? count(name, 'Messages') : 'not there',
      count(name, 'MessagesNotVisible'),
    ])
    return [['NAME', 'WAITING', 'IN FLIGHT'], ...rows]
  },
  async tables({ aws }) {
    const states = await askOf(aws, Object.fromEntries(tables.map(({ name }) => [name, tableState(aws.place, name)])))
    const rows = tables.map(({ name }) => [
      name,
      states[name]?.status ?? 'not there',
      states[name]?.deletionProtection ? 'yes' : 'no',
    ])
    return [['NAME', 'STATUS', 'PROTECTED'], ...rows]
  },
  async images({ aws }) {
    const found = await askOf(
      aws,
      Object.fromEntries(repositories.map(({ name }) => [name, ecrImages(aws.place, name)])),
    )
    const rows = repositories.map(({ name }) => {
      const latest = imageOf(found[name] ?? null, 'latest')
      const size = latest
        ? [latest.digest.slice(0, 19), megabytes(latest.bytes), age(now() - latest.pushed)]
        : ['', '', '']
      return [name, String(found[name]?.length ?? 0), ...size]
    })
    return [['REPOSITORY', 'IMAGES', 'LATEST', 'SIZE', 'AGE'], ...rows]
  },
  async tokens(context) {
    const { kube, doks } = context
    await assertVisible(context)
    const { own } = await askOf(kube, { own: ownObjects('cluster') })
    const pull = own.find(({ kind, name }) => kind === 'Secret' && name === pullSecretOptions.name)
    const rows = [['pull secret', pull?.renewed ? `renewed ${age(now() - pull.renewed)} ago` : 'not there']]
    if (doks && !doks.cloud.blank) {
      const { file } = await askOf(doks.cloud, { file: kubeconfigState(doks.kubeconfig.path, doks.tokens) })
      rows.push([
        'kubeconfig',
        file ? `renewed by doctl${file.until ? `, until ${file.until.toISOString()}` : ''}` : 'not there',
      ])
    }
    return [['TOKEN', 'STATE'], ...rows]
  },
}
