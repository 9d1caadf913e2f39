import type { Check } from '@infra/shared/engine/check'

/** Which checks cannot pass while another fails: a service that is down is one failure, not one for all that it serves. */
const needs: readonly (readonly [pattern: RegExp, ids: readonly string[]])[] = [
  [/^synapse\.(port-(80|443|8448)|well-known-\w+|addresses|admin-api|certificate)$/, ['synapse.nginx']],
  [/^synapse\.(versions|federation|registration|round-trip)$/, ['synapse.nginx', 'synapse.matrix-synapse']],
  [/^synapse\.localhost$/, ['synapse.matrix-synapse']],
  [/^synapse\.matrix-synapse$/, ['postgresql.service']],
  [/^postgresql\.(answers|database|synapse|apart|extension|login|localhost)$/, ['postgresql.service']],
  [/^vkb\.(schema|tables|health)$/, ['postgresql.service']],
]

/** The checks of the pod with what each depends on. */
export const withDependencies = (checks: readonly Check[]): readonly Check[] =>
  checks.map((check) => {
    const dependsOn = needs.filter(([pattern]) => pattern.test(check.id)).flatMap(([, ids]) => ids)
    return dependsOn.length > 0 ? { ...check, dependsOn } : check
  })
