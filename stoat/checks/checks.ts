import type { Check } from '@infra/shared/engine/check'
import type { StoatContext } from '../context.ts'
import { insideChecks } from './inside.ts'
import { outsideChecks } from './outside.ts'

/** What must hold of a deployed Stoat, from inside the cluster and from outside. */
export const stoatChecks = (context: StoatContext): readonly Check[] => [
  ...insideChecks(context),
  ...outsideChecks(context),
]
