import { metaOf, type Problem, type Rule, type Schema } from './variable.ts'

/**
 * The problems of the rules over several variables. `given` are the names that are set, valid or not: a key that is
 * set wrongly is not missing as well.
 */
export function brokenRules(
  schema: Schema,
  env: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
  file: string | undefined,
): Problem[] {
  return schema.rules.flatMap((rule) => {
    const message = broken(rule, env, given)
    const [first = ''] = rule.of
    if (message === undefined) return []
    const type = schema.variables[first]
    const example = rule.kind === 'exactly one' && type ? metaOf(type, first).example : undefined
    return [
      {
        variable: first,
        message,
        ...(file !== undefined && { file }),
        ...(example ? { example } : {}),
        ...(rule.remedy ? { remedy: typeof rule.remedy === 'string' ? rule.remedy : rule.remedy(file) } : {}),
      },
    ]
  })
}

function broken(rule: Rule, env: Readonly<Record<string, unknown>>, given: ReadonlySet<string>): string | undefined {
  const [, ...others] = rule.of
  const set = rule.of.filter((name) => given.has(name))
  switch (rule.kind) {
    case 'exactly one':
      if (set.length === 1) return undefined
      return set.length === 0
        ? `is not set, nor is ${others.join(' or ')}: one of them is needed`
        : `is set together with ${others.join(', ')}: choose one`
    case 'at most one':
      return set.length < 2 ? undefined : `is set together with ${others.join(', ')}: choose one`
    case 'all or none':
      if (set.length === 0 || set.length === rule.of.length) return undefined
      return `belongs together with ${others.join(', ')}, but ${rule.of.filter((name) => !given.has(name)).join(', ')} is not set`
    case 'needs': {
      const missing = others.filter((name) => !given.has(name))
      return given.has(rule.of[0] ?? '') && missing.length > 0 ? `needs ${missing.join(', ')} as well` : undefined
    }
    case 'check': {
      if (!rule.of.every((name) => name in env)) return undefined
      return rule.check(rule.of.map((name) => env[name]))
    }
  }
}
