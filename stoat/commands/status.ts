import { inEnvironment } from '@infra/shared/cli/in-environment'
import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { volumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import { volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { podRows, workloadRows } from '@infra/shared/platform/commands/status'
import { assertVisible } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { print, printJson } from '@infra/shared/report/print'
import { headingText, type Rows, records, sectionText } from '@infra/shared/report/table'
import { backupQuestions, backupSections } from '../backup/status.ts'
import type { StoatContext } from '../context.ts'
import { databaseSizes, databaseState } from '../database-state.ts'
import { databaseRows, versionRows, volumeRows } from './versions.ts'

const isOurs = (app: string | undefined) => app?.startsWith('stoat-') === true

/** `status`: one look over all that runs. */
export async function runStatus(session: Session): Promise<number> {
  const context = open(session, 'access').context as StoatContext
  await assertVisible(context)
  const { pods, own, claims, room, state, sizes, ...backups } = await askOf(context.kube, {
    ...{ pods: podStates(namespace), own: ownObjects('stoat'), claims: volumeClaims(namespace) },
    ...{ room: volumeRoom(namespace), state: databaseState(), sizes: databaseSizes(), ...backupQuestions() },
  })
  const ours = pods.filter(({ app }) => isOurs(app))
  const sections: Readonly<Record<string, Rows>> = {
    pods: podRows(ours),
    workloads: workloadRows(own),
    versions: versionRows(context.env, ours),
    database: databaseRows(context.env, state, sizes),
    volumes: volumeRows(
      claims.filter(({ app }) => isOurs(app)),
      room,
    ),
    ...backupSections(context.env, backups),
  }
  if (session.options.json) {
    const told = Object.entries(sections).map(([title, rows]) => [title, records(rows)])
    printJson(Object.fromEntries(told), 2)
  } else {
    const { env } = session.options
    const texts = Object.entries(sections).map(([title, rows]) => sectionText(title, rows))
    texts.unshift(headingText('stoat', env, [context.kube.name]))
    print(inEnvironment(texts.join('\n\n'), env))
  }
  return 0
}
