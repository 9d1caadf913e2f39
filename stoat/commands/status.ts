import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { print } from '@infra/shared/report/print'
import { age, tableLines } from '@infra/shared/report/table'
import type { StoatContext } from '../context.ts'

type Rows = readonly (readonly string[])[]

const isOurs = (app: string | undefined) => app?.startsWith('stoat-') === true

/** `status`: one look over all that runs. */
export async function runStatus(session: Session): Promise<number> {
  const context = open(session, 'verify').context as StoatContext
  await assertInside(context, true)
  const ask = { pods: podStates(namespace), own: ownObjects('stoat'), claims: volumeClaims(namespace) }
  const { pods, own, claims } = await askOf(context.kube, ask)
  const now = Date.now() / 1000
  const ours = pods.filter(({ app }) => isOurs(app))
  const sections: Readonly<Record<string, Rows>> = {
    pods: [
      ['NAME', 'READY', 'STATE', 'RESTARTS', 'AGE'],
      ...ours.map(({ name, ready, state, restarts, started }) => [
        ...[name, ready ? 'yes' : 'no', state, String(restarts), age(now - started)],
      ]),
    ],
    workloads: [
      ['NAME', 'READY', 'ROLLOUT'],
      ...own
        .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
        .map(({ kind, name, ready, replicas, progress }) => [
          ...[`${kind.toLowerCase()}/${name}`, `${ready}/${replicas}`, progress ?? ''],
        ]),
    ],
    images: [['POD', 'IMAGE'], ...ours.flatMap(({ name, images }) => images.map((image) => [name, image]))],
    volumes: [['NAME', 'SIZE'], ...claims.filter(({ app }) => isOurs(app)).map(({ name, size }) => [name, size])],
  }
  if (session.options.json) {
    const told = Object.entries(sections).map(([title, rows]) => [title, records(rows)])
    print(JSON.stringify(Object.fromEntries(told), null, 2))
  } else {
    const texts = Object.entries(sections).map(([title, rows]) =>
      [title, ...tableLines(rows).map((line) => `  ${line}`)].join('\n'),
    )
    print(texts.join('\n\n'))
  }
  return 0
}

/** Rows under a row of headings, as objects. */
const records = ([heads = [], ...rows]: Rows) =>
  rows.map((row) => Object.fromEntries(heads.map((head, column) => [head.toLowerCase(), row[column] ?? ''])))
