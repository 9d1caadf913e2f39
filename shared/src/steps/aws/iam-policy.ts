import type { PolicyDocument, PolicyStatement } from '../../facts/aws/iam.ts'

/**
 * A policy in one form, whatever order and shape it was written in: two that allow the same by the same statements are
 * equal as texts. Names of statements say nothing of rights and are left out; actions know no case.
 */
export function canonicalPolicy({ Version, Statement }: PolicyDocument): string {
  const statements = listOf<PolicyStatement>(Statement).map(({ Sid: _, ...statement }) => {
    const parts = Object.entries(statement).map(([key, value]) => {
      const texts = value as string | readonly string[]
      if (key === 'Action' || key === 'NotAction') return [key, sorted(texts, (text) => text.toLowerCase())]
      return [key, key === 'Resource' || key === 'NotResource' ? sorted(texts) : value]
    })
    return JSON.stringify(parts.sort(([a], [b]) => String(a).localeCompare(String(b))))
  })
  return JSON.stringify([Version ?? '2008-10-17', [...new Set(statements)].sort()])
}

/** As it is shown in a diff. */
export const showPolicy = (policy: PolicyDocument): string => `${JSON.stringify(policy, null, 2)}\n`

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

const sorted = (texts: string | readonly string[], shape = (text: string) => text) =>
  [...new Set(listOf<string>(texts).map(shape))].sort()
