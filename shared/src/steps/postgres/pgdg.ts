import type { Dependency, Step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { aptSource } from '../host/apt-source.ts'

/**
 * The version each release carries together with pgvector (packages.debian.org and packages.ubuntu.com, pgvector).
 * Debian 12 has PostgreSQL 15, but no pgvector.
 */
const carried: Readonly<Record<string, number>> = { trixie: 17, noble: 16 }

/** The PostgreSQL project's key, as its wiki tells it (wiki.postgresql.org/wiki/Apt). */
export const pgdgKey = 'B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8'

export interface PgdgOptions {
  /** Of the key that signs it: {@link pgdgKey} unless told. */
  readonly fingerprint?: string
  readonly dependsOn: readonly Dependency[]
}

/**
 * The PostgreSQL project's package source (apt.postgresql.org), only where the release does not carry this version with pgvector. Its
 * key comes with the release's own package `postgresql-common`, so nothing is trusted that Debian does not vouch for; of
 * the keys in that file apt takes the one of this fingerprint alone.
 */
export function pgdgSource(on: Target, version: number, options: PgdgOptions): Step {
  return aptSource(on, 'pgdg', {
    uri: 'https://apt.postgresql.org/pub/repos/apt',
    suite: (release) => (carried[release] === version ? undefined : `${release}-pgdg`),
    components: ['main'],
    signedBy: '/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc',
    needless: (release) => `${release} carries PostgreSQL ${version} and pgvector`,
    ...options,
    fingerprint: options.fingerprint ?? pgdgKey,
  })
}
