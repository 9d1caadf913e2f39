import { converged, type Dependency, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import type { DesiredCheckout } from '../../facts/host/git.ts'
import type { SchemaPlace } from '../../facts/postgres/schema.ts'
import { schemaRefs } from '../../facts/postgres/schema-refs.ts'

export interface SchemaFitsOptions extends SchemaPlace {
  /** The folder of the repository, and what shall be checked out there. */
  readonly path: string
  readonly checkout: DesiredCheckout
  /** The variable that names the ref. */
  readonly variable: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * Whether the tables that are there have the columns which the schema of the desired ref expects of them: refused before
 * anything is changed, with the ref that fits. Nothing is compared where that ref is checked out: its files are, when they
 * are applied.
 */
export function schemaFits(on: Target, name: string, options: SchemaFitsOptions): Step {
  const { path, checkout, variable, database, dependsOn = [] } = options
  return step({
    id: `schema ${name} of ${checkout.ref}`,
    on,
    dependsOn,
    ask: { now: schemaRefs(path, checkout, options) },
    plan({ now: { lacking, fits, adds = 0 } }) {
      if (lacking.length === 0) return converged('no table is known to lack a column of it')
      const remedy = fits
        ? `${adds === 0 ? 'Deploy the version that the tables are of' : 'Deploy the newest version that does without those columns'}: ${variable}=${fits}${adds === 0 ? '' : `, which makes ${adds} more ${adds === 1 ? 'table' : 'tables'}`}. To a newer one its own way of migrating leads.`
        : 'No version of the repository fits these tables. Make a backup, then add the columns by hand, as the newer schema has them.'
      return refuse(sayUnfitting({ database, lacking, of: `${variable}=${checkout.ref}` }), remedy)
    },
  })
}

interface Unfitting {
  readonly database: string
  readonly lacking: readonly string[]
  /** What wants them. */
  readonly of: string
}

/** What tables lack, in a line. */
export function sayUnfitting({ database, lacking, of }: Unfitting): string {
  const more = lacking.length > 6 ? ` and ${lacking.length - 6} more` : ''
  return `database ${database} has tables of another version than ${of}: they lack ${lacking.slice(0, 6).join(', ')}${more}`
}
