import { fieldManager } from '../../command/kubectl.ts'

/** As the API server writes down whose a field is (metadata.managedFields). */
interface ManagedFields {
  readonly manager?: string
  readonly subresource?: string
  readonly fieldsV1?: FieldSet
}

interface FieldSet {
  readonly [field: string]: FieldSet
}

const most = 4

/** The fields that others lose to us between two states of an object, by manager: `Terraform: spec.replicas`. */
export function fieldsLost(before: readonly unknown[], after: readonly unknown[]): string[] {
  const [owners, later] = [byManager(before), byManager(after)]
  const ours = later.get(fieldManager) ?? new Set()
  return [...owners].flatMap(([manager, fields]) => {
    if (manager === fieldManager) return []
    const left = later.get(manager) ?? new Set()
    const lost = [...fields].filter((field) => ours.has(field) && !left.has(field))
    if (lost.length === 0) return []
    const more = lost.length > most ? ` and ${lost.length - most} more` : ''
    return [`${manager}: ${lost.slice(0, most).join(', ')}${more}`]
  })
}

function byManager(entries: readonly unknown[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const { manager = '', subresource, fieldsV1 = {} } of entries as readonly ManagedFields[]) {
    if (subresource === 'status') continue
    const fields = found.get(manager) ?? new Set<string>()
    for (const leaf of leaves(fieldsV1, '')) fields.add(leaf)
    found.set(manager, fields)
  }
  return found
}

/** The paths of the leaves: `spec.template.spec.containers[name=bot].image`. */
function leaves(set: FieldSet, path: string): string[] {
  return Object.entries(set).flatMap(([key, inner]) => {
    if (key === '.') return []
    const here = path + step(key, path)
    return Object.keys(inner).length === 0 ? [here] : leaves(inner, here)
  })
}

function step(key: string, path: string): string {
  const [kind, rest] = [key.slice(0, 2), key.slice(2)]
  if (kind === 'f:') return path === '' ? rest : `.${rest}`
  if (kind !== 'k:') return `[${rest}]`
  const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>)
  return `[${keys.map(([name, value]) => `${name}=${value}`).join(',')}]`
}
