import { Failure } from '@infra/shared/engine/failure'

/** What a backup says of itself (its manifest.json): see pod/files/backup.sh. */
export interface Manifest {
  /** 1: Synapse shares the one database with Valence; 2: it has one of its own. */
  readonly format: number
  readonly server_name: string
  /** When it was made, ISO 8601. */
  readonly made: string
  readonly versions: Readonly<Record<'os' | 'synapse' | 'valence', string | null>> & { readonly postgresql: number }
  readonly rows: Readonly<Record<string, number>>
}

/** What is on the host before a restore: see pod/files/restore.sh. */
export interface Found {
  /** That its Synapse is configured for; null without one. */
  readonly server_name: string | null
  /** How many tables of the pod's databases hold something. */
  readonly tables: number
  /** How many of signing key and media folder are there. */
  readonly files: number
  readonly postgresql: number
  readonly roles: readonly string[]
}

/** Throws when this backup does not belong on this host. */
export function judge(manifest: Manifest, found: Found, domain: string): void {
  const refuse = (reason: string, remedy: string) => {
    throw new Failure('error', `${reason}; nothing was changed`, { remedy })
  }
  if (![1, 2].includes(manifest.format))
    refuse(`the archive is of format ${manifest.format}, which is not known here`, 'Use the version that made it.')
  if (manifest.server_name !== domain)
    refuse(
      `the archive is of ${manifest.server_name}, this pod is ${domain}: the name is in every address that it holds`,
      `Deploy a pod with VALENCE_DOMAIN=${manifest.server_name} for it.`,
    )
  if (found.server_name !== null && found.server_name !== domain)
    refuse(`the host runs ${found.server_name}`, 'Is VALENCE_POD_IP that of the right machine?')
  if (manifest.versions.postgresql > found.postgresql)
    refuse(
      `the archive is of PostgreSQL ${manifest.versions.postgresql}, the host has ${found.postgresql}`,
      `Deploy with VALENCE_POSTGRES_VERSION=${manifest.versions.postgresql} first.`,
    )
  const missing = ['valence', ...(manifest.format === 2 ? ['synapse'] : [])].find((role) => !found.roles.includes(role))
  if (missing !== undefined)
    refuse(`the host has no role ${missing}: it was not deployed yet`, 'npm run deploy -w pod comes first.')
}
