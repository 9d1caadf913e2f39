import { dirname } from 'node:path'
import { backupOptions } from '@infra/shared/cli/backup-options'
import { graph } from '@infra/shared/cli/graph-command'
import type { Entry } from '@infra/shared/cli/help'
import { history } from '@infra/shared/cli/history-command'
import { logOptions } from '@infra/shared/cli/log-options'
import type { OptionName } from '@infra/shared/cli/options'

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
      about: 'how it is: services, versions, certificate, disk, memory, backups, lock',
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'what a service said, secrets taken out; `all` shows recent errors',
      args: ['SERVICE'],
      options: logOptions,
      run: async (session) => (await import('./logs.ts')).runLogs(session),
    },
    ssh: {
      about: 'a terminal on the host, or a command there, whose exit code is passed on',
      args: ['[COMMAND...]'],
      verbatim: true,
      run: async (session) => (await import('./terminal.ts')).runSsh(session),
    },
    psql: {
      about: 'the database, as its owner: a terminal, or statements, given or by stdin',
      args: ['[SQL...]'],
      run: async (session) => (await import('./terminal.ts')).runPsql(session),
    },
    backup: {
      about: 'fetch an encrypted backup of all that would be lost, sealed by your key',
      sharedOptions: locked,
      options: backupOptions,
      run: async (session) => (await import('./backup.ts')).runBackup(session),
    },
    restore: {
      about: 'put a backup back; what was there is kept beside it',
      args: ['FILE'],
      sharedOptions: locked,
      options: {
        identity: {
          type: 'string',
          value: 'KEYFILE',
          help: 'the private key that opens it (default VALENCE_SSH_PRIVATE_KEY_FILE)',
        },
        'trust-archive': {
          type: 'boolean',
          help: 'take one that nobody known here sealed: an old one, or another operator’s',
        },
        confirm: { type: 'string', value: 'DOMAIN', help: 'overwrite what is there: the domain, typed beforehand' },
      },
      run: async (session) => (await import('./restore.ts')).runRestore(session),
    },
  },
}

export default pod
