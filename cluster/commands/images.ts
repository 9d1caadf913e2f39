import { canAsk, confirm } from '@infra/shared/cli/confirm'
import { open, type Session } from '@infra/shared/cli/session'
import { buildImage, moveLatest } from '@infra/shared/command/image-build'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { type EcrImage, ecrImages } from '@infra/shared/facts/aws/ecr-images'
import { containerCli, inputsTag, tagBy } from '@infra/shared/facts/aws/image-build'
import { podStates } from '@infra/shared/facts/kubernetes/pods'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { print, printJson } from '@infra/shared/report/print'
import { age, megabytes, tableLines } from '@infra/shared/report/table'
import type { ClusterContext } from '../context.ts'
import { images } from '../parts/images.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** `images`: what is in ECR and what of it runs. `--build`: builds all anew, whatever is there. */
export async function runImages(session: Session): Promise<number> {
  const context = open(session, 'access').context as ClusterContext
  if (session.workspaceOptions.build) await rebuild(session, context)
  const running = await runningDigests(context)
  const rows = await Promise.all(repositories.map(({ name }) => rowsOf(context, name, running)))
  const all = rows.flat()
  if (session.options.json) printJson(all, 2)
  else print(tableLines([['REPOSITORY', 'TAGS', 'DIGEST', 'SIZE', 'AGE', 'RUNS IN'], ...all.map(cells)]).join('\n'))
  return 0
}

interface Row extends EcrImage {
  readonly repository: string
  readonly runsIn: readonly string[]
}

async function rowsOf({ aws }: ClusterContext, repository: string, running: ReadonlyMap<string, string[]>) {
  const { found } = await askOf(aws, { found: ecrImages(aws.place, repository) })
  const newest = [...(found ?? [])].sort((one, other) => other.pushed - one.pushed)
  return newest.map((image): Row => ({ repository, ...image, runsIn: running.get(image.digest) ?? [] }))
}

const cells = ({ repository, tags, digest, bytes, pushed, runsIn }: Row): string[] => [
  repository,
  [...tags].sort().join(' '),
  digest.slice(0, 19),
  megabytes(bytes),
  age(Date.now() / 1000 - pushed),
  runsIn.join(' '),
]

/** Names of pods, by the digest of an image that they run; none where there is no cluster yet. */
async function runningDigests(context: ClusterContext): Promise<Map<string, string[]>> {
  const digests = new Map<string, string[]>()
  await assertInside(context, true)
  const { pods } = await askOf(context.kube, { pods: podStates(namespace) })
  for (const { name, images } of pods) {
    for (const digest of new Set(images.map((image) => image.slice(image.indexOf('sha256:')))))
      digests.set(digest, [...(digests.get(digest) ?? []), name])
  }
  return digests
}

async function rebuild(session: Session, context: ClusterContext): Promise<void> {
  const { options, emit, processEnv } = session
  const { builder } = context
  const desiredImages = images(context).filter(({ how }) => how !== undefined)
  if (!options.yes) {
    const names = desiredImages.map(({ repository }) => repository).join(' and ')
    await confirm(`Build ${names} anew, and push them?`, canAsk(options.json === true, processEnv))
  }
  for (const { how, repository, cli: wanted, registry, folder, remedy } of desiredImages) {
    if (!how) continue
    const { inputs, cli } = await askOf(builder, { inputs: inputsTag(how), cli: containerCli(wanted) })
    if (!inputs || 'wrong' in inputs || !cli)
      throw new Failure(
        'error',
        `image ${repository} cannot be built: ${inputs && 'wrong' in inputs ? inputs.wrong : 'nothing here builds images'}`,
        { remedy },
      )
    const tag = how.kind === 'packer' ? inputs.tag : tagBy(cli, inputs)
    const say = `image ${repository}:${tag} (${cli})`
    const step = `image ${repository}`
    emit({ type: 'change.start', script: 'images', step, verb: 'update', say, risk: 'safe' })
    const began = Date.now()
    const build = buildImage(builder.place, { cli, how, repository, tag, registry, folder, fresh: true })
    const hear = (line: string) => emit({ type: 'change.output', step, line })
    const outputs = await builder.run([build, moveLatest(builder.place, repository, tag)], hear)
    const failed = outputs.find(({ code }) => code !== 0)
    emit({ type: 'change.end', step, say, outcome: failed ? 'failed' : 'done', ms: Date.now() - began })
    if (failed)
      throw new Failure('error', `image ${repository} was not built (exit code ${failed.code})`, {
        detail: (failed.stderr.trim() || failed.stdout.trim()).split('\n').slice(-15),
        remedy: 'Mend the cause and run again.',
      })
  }
}
