import type { PodEnv } from '../env/env.ts'

/** What homeserver.yaml says of it, where the user's own file says nothing. */
export const maxUploadSize = '50M'

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** A size as Synapse reads it, in bytes; undefined where it would not take it. */
function bytesOf(size: unknown): number | undefined {
  const [, count, unit = ''] = String(size).match(/^([0-9][0-9_]*)([KMGT]?)$/) ?? []
  return count === undefined ? undefined : Number(count.replaceAll('_', '')) * (units[unit] ?? 1)
}

// A transaction of another server's is 200 events of at most 64 KiB (Synapse's max_request_body_size).
const leastMiB = 13

/**
 * How much nginx lets through to Synapse in one request, in its own words: what Synapse takes as an upload by the settings
 * in force, and never less than a transaction of another server.
 */
export function bodyLimit({ SYNAPSE_EXTRA_CONFIG_FILE: extra }: Pick<PodEnv, 'SYNAPSE_EXTRA_CONFIG_FILE'>): string {
  const bytes = bytesOf(extra?.values.max_upload_size ?? maxUploadSize) ?? bytesOf(maxUploadSize) ?? 0
  return `${Math.max(leastMiB, Math.ceil(bytes / 2 ** 20))}M`
}
