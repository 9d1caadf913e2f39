import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signFunctions, unpackFunctions } from '@infra/shared/archive/programs'
import { postgresFunctions } from '@infra/shared/command/sql'
import { canEncrypt } from '@infra/shared/env/recipient'
import { lockProgram } from '@infra/shared/targets/ssh/lock'
import { type PodEnv, podPublicKeys } from '../env/env.ts'
import { backupFolder, backupUnit, signingKeyPath } from './facts.ts'
import { serverNameFunction } from './server-name.ts'

const text = (name: string): string => readFileSync(join(import.meta.dirname, '../files', name), 'utf8')

/**
 * The text of a program that is sent to, or kept on, the host. In one of bash the line `# POSTGRES` becomes
 * {@link postgresFunctions}, `# SERVER_NAME` {@link serverNameFunction}, `# SIGN` and `# UNPACK` the functions of archives,
 * and `# INCLUDE NAME` the file of that name.
 */
export const payload = (name: string): string =>
  text(name)
    .replace(/^# INCLUDE (\S+)$/gm, (_, part: string) => text(part).trimEnd())
    .replace(/^# POSTGRES$/m, () => postgresFunctions.trimEnd())
    .replace(/^# SERVER_NAME$/m, () => serverNameFunction)
    .replace(/^# SIGN$/m, signFunctions)
    .replace(/^# UNPACK$/m, unpackFunctions)

/**
 * Whom backups are encrypted to: VALENCE_BACKUP_RECIPIENT, or whoever may log in on the pod by a key that age knows.
 * Empty when none of those keys is of such a type.
 */
export function recipientsOf(
  env: Pick<PodEnv, 'VALENCE_BACKUP_RECIPIENT' | 'VALENCE_SSH_PUBKEY' | 'VALENCE_SSH_PUBKEY_FILE'>,
) {
  const { VALENCE_BACKUP_RECIPIENT: own } = env
  if (own !== undefined) return [own]
  const keys = podPublicKeys(env).filter(({ type }) => canEncrypt(type))
  return keys.map(({ type, base64 }) => `${type} ${base64}`)
}

/** What to say where there is nobody. */
export const noRecipient = {
  message: 'nobody to encrypt backups to: age takes ssh keys of type ssh-ed25519 and ssh-rsa, and the pod has none',
  remedy: 'Set VALENCE_BACKUP_RECIPIENT; age-keygen makes a key for it.',
}

/** What the archives of a pod are of, in their heads. */
export const archiveOf = (domain: string): string => `pod ${domain}`

/** Seconds that a scheduled backup waits for a deployment that is under way. */
const timeoutSeconds = 3600

/** The programs and units of scheduled backups: each path with its content. */
export function scheduleFiles(
  env: PodEnv,
): Readonly<Record<'archive' | 'lock' | 'program' | 'service' | 'timer', [string, string]>> {
  const library = '/usr/local/lib/valence'
  const program = `/usr/local/sbin/${backupUnit}`
  const words = [
    String(env.VALENCE_BACKUP_KEEP),
    env.VALENCE_DOMAIN,
    signingKeyPath,
    ...recipientsOf(env).map((key) => `"${key}"`),
  ]
  return {
    archive: [`${library}/backup.sh`, payload('backup.sh')],
    // The very lock that deployments take.
    lock: [`${library}/lock.sh`, lockProgram('scheduled-backup', 'the scheduled backup', timeoutSeconds).source],
    program: [program, payload('scheduled-backup.sh')],
    service: [
      `/etc/systemd/system/${backupUnit}.service`,
      `[Unit]
Description=Encrypted backup of the Valence pod
After=postgresql.service

[Service]
Type=oneshot
ExecStart=${program} ${words.join(' ')}
Nice=10
IOSchedulingClass=idle
UMask=0077
# Root, since it reads what three accounts own, each part with the rights of its account (SETUID, SETGID), and their files
# of configuration (DAC_READ_SEARCH); it changes nothing but its archives and the lock of the host.
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${backupFolder} /run
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectHostname=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
# PostgreSQL and Synapse, on this host.
IPAddressDeny=any
IPAddressAllow=localhost
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
`,
    ],
    timer: [
      `/etc/systemd/system/${backupUnit}.timer`,
      `[Unit]
Description=When the Valence pod is backed up

[Timer]
OnCalendar=${env.VALENCE_BACKUP_CALENDAR}
Persistent=true

[Install]
WantedBy=timers.target
`,
    ],
  }
}
