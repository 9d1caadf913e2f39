import type { Check } from '@infra/shared/engine/check'
import type { StoatContext } from '../context.ts'
import { backupCheck } from './backup.ts'
import { sharedEntrance } from './entrance.ts'
import { insideChecks } from './inside.ts'
import { outsideChecks } from './outside.ts'
import { smokeChecks } from './smoke-checks.ts'

/** What must hold of a deployed Stoat, from inside the cluster and from outside. */
export function stoatChecks(context: StoatContext): readonly Check[] {
  const through = sharedEntrance(context)
  return [
    ...insideChecks(context),
    ...outsideChecks(context, through),
    ...smokeChecks(context, through),
    backupCheck(context),
  ]
}
