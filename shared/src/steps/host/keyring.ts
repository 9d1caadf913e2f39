import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileDigest } from '../../facts/host/file.ts'

/**
 * The keys of a package source, fetched from its maker once over https. apt trusts them for the source that names this file,
 * and for no other.
 */
export function keyring(on: Target, path: string, options: { url: string; dependsOn?: readonly Dependency[] }): Step {
  const { url, dependsOn = [] } = options
  const fetch = sh`t=$(mktemp ${`${path}.XXXXXX`}) && trap 'rm -f "$t"' EXIT && \
curl -fSsL --connect-timeout 20 --max-time 120 --retry 2 -o "$t" -- ${url} && [ -s "$t" ] && chmod 644 "$t" && mv -f "$t" ${path}`
  const explain = ({ stderr }: Output) =>
    `the key cannot be fetched from ${url}: ${stderr.match(/curl: \(\d+\) (.*)/)?.[1] ?? 'no answer'}`
  return step({
    id: `keyring ${path}`,
    on,
    dependsOn,
    ask: { now: fileDigest(path) },
    plan: ({ now }) => changes(now ? [] : [create(path, fetch, { explain })], 'there'),
  })
}
