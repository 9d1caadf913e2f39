type Pick =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'item'; readonly at: number }
  | { readonly kind: 'where'; readonly field: string; readonly is: string }

// A dot in a name is written as `\.`.
const pick = /\.((?:[^.[\]{}\\]|\\.)+)|\[(\d+)\]|\[\?\(@\.(\w+)=="([^"]*)"\)\]/y

/**
 * The values at a path in kubectl's JSONPath, none where it leads nowhere. Of that language only fields, positions and
 * `[?(@.name=="x")]` are known: throws a TypeError on more.
 */
export function valuesAt(path: string, value: unknown): readonly unknown[] {
  return parsePath(path).reduce<readonly unknown[]>((found, step) => found.flatMap((one) => follow(one, step)), [value])
}

/** Throws a TypeError when {@link valuesAt} does not know what stands in a path. */
export function assertPath(path: string): void {
  parsePath(path)
}

function parsePath(path: string): Pick[] {
  const picks: Pick[] = []
  let at = 0
  while (at < path.length) {
    pick.lastIndex = at
    const found = pick.exec(path)
    if (!found) throw new TypeError(`${path} is no path that is known here: it stops at ${path.slice(at)}`)
    const [all, name, index, field = '', is = ''] = found
    if (name !== undefined) picks.push({ kind: 'field', name: name.replaceAll(/\\(.)/g, '$1') })
    else if (index !== undefined) picks.push({ kind: 'item', at: Number(index) })
    else picks.push({ kind: 'where', field, is })
    at += all.length
  }
  return picks
}

function follow(value: unknown, step: Pick): readonly unknown[] {
  if (step.kind === 'field') return present(isRecord(value) ? value[step.name] : undefined)
  if (!Array.isArray(value)) return []
  if (step.kind === 'item') return present(value[step.at])
  return value.filter((item) => isRecord(item) && item[step.field] === step.is)
}

const present = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value])

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
