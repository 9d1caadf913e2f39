import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { repositoryState } from '@infra/shared/facts/aws/ecr'
import type { ClusterContext } from '../context.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** That the repositories are there for images to be pushed to and pulled from. */
export function ecrChecks({ aws }: ClusterContext): readonly Check[] {
  return repositories.map(({ name }) =>
    check(aws, {
      id: `ecr.${name}`,
      about: `repository ${name} is there and scans what is pushed`,
      remedy: 'npm run plan -w cluster -- --tags ecr tells what differs; deploy makes it.',
      ask: { repository: repositoryState(aws.place, name) },
      judge({ repository }) {
        if (!repository) return fail('there is no such repository')
        return repository.scanOnPush ? ok(repository.uri) : warn(`${repository.uri} does not scan`)
      },
    }),
  )
}
