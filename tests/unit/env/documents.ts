import { renderExample, replaceBetween, replaceTables } from '@infra/shared/env/docs'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { costTable } from '../../../cluster/prices/prices.ts'
import { podSchema } from '../../../pod/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'

export const schemas = [podSchema, clusterSchema, stoatSchema]

/** The files that are made from the schemas: what each shall be, given what it is. */
export const documents: readonly { file: string; render(now: string): string }[] = [
  { file: '.env.example', render: () => renderExample(schemas) },
  { file: 'README.md', render: (now) => replaceBetween(replaceTables(now, schemas), 'costs:cluster', costTable()) },
]
