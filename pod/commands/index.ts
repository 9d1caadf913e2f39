import { dirname } from 'node:path'
import { backupOptions } from '@infra/shared/cli/backup-options'
import { graph } from '@infra/shared/cli/graph-command'
import type { Entry } from '@infra/shared/cli/help'
import { history } from '@infra/shared/cli/history-command'
import { logOptions } from '@infra/shared/cli/log-options'
import type { OptionName } from '@infra/shared/cli/options'
import { logServices } from './log-services.ts'

const locked: readonly OptionName[] = ['lock-timeout']

/** The pod's command line: every command that only it has, with its options and where it is. */
const pod: Entry = {
  name: 'pod',
  about: 'the Valence pod on one host: a hardened system, PostgreSQL with pgvector, Synapse, Valence',
  folder: dirname(import.meta.dirname),
  scripts: /^[1-9]/, // the droplet itself is made by provision/cli.ts
  load: () => import('../pod.ts'),
  commands: {
    graph,
    history,
    status: {
      about: 'show services, versions, certificate, disk, memory, backups, lock',
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'show the log of a service, without secrets; `all` shows recent errors',
      args: ['SERVICE'],
      values: logServices,
      options: logOptions,
      run: async (session) => (await import('./logs.ts')).runLogs(session),
    },
    ssh: {
      about: 'open a shell on the host, or run a command there and return its exit code',
      args: ['[COMMAND...]'],
      verbatim: true,
      run: async (session) => (await import('./terminal.ts')).runSsh(session),
    },
    psql: {
      about: 'open psql as the owner of the database, or run statements from the arguments or stdin',
      args: ['[SQL...]'],
      run: async (session) => (await import('./terminal.ts')).runPsql(session),
    },
    backup: {
      about: 'make and fetch an encrypted backup, sealed with your key',
      sharedOptions: locked,
      options: backupOptions,
      run: async (session) => (await import('./backup.ts')).runBackup(session),
    },
    restore: {
      about: 'restore a backup; the previous data is kept',
      args: ['FILE'],
      sharedOptions: locked,
      options: {
        identity: {
          type: 'string',
          value: 'KEYFILE',
          help: 'the private key that decrypts it (default VALENCE_SSH_PRIVATE_KEY_FILE)',
        },
        'trust-archive': {
          type: 'boolean',
          help: 'accept an archive without a known seal: an old one, or another operator’s',
        },
        confirm: { type: 'string', value: 'DOMAIN', help: 'confirm the overwrite with the domain' },
      },
      run: async (session) => (await import('./restore.ts')).runRestore(session),
    },
  },
}

export default pod
