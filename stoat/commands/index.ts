import { dirname } from 'node:path'
import { backupOptions } from '@infra/shared/cli/backup-options'
import { graph } from '@infra/shared/cli/graph-command'
import type { Entry } from '@infra/shared/cli/help'
import { history } from '@infra/shared/cli/history-command'
import { logOptions } from '@infra/shared/cli/log-options'
import { applyOptions, type OptionName } from '@infra/shared/cli/options'
import { stoatCommandServices as services } from './services.ts'

const locked: readonly OptionName[] = ['lock-timeout']

const identity = {
  identity: {
    type: 'string',
    value: 'KEYFILE',
    help: 'the private key that opens it (default STOAT_BACKUP_IDENTITY_FILE)',
  },
  'trust-archive': {
    type: 'boolean',
    help: 'take one that nobody known here sealed: an old one, or another operator’s',
  },
} as const

/** Stoat's command line: every command that only it has, with its options and where it is. */
const stoat: Entry = {
  name: 'stoat',
  about: 'the Stoat chat platform on the same Kubernetes cluster',
  folder: dirname(import.meta.dirname),
  dependsOn: ['cluster'],
  load: () => import('../stoat.ts'),
  planOptions: {
    prune: { type: 'boolean', help: 'remove objects of this workspace that are not declared any more' },
    'has-backup': {
      type: 'boolean',
      help: 'there is a backup of another kind, such as a snapshot: an upgrade that changes data for good goes on',
    },
  },
  verifyOptions: {
    smoke: {
      type: 'boolean',
      help: 'also do what a user does, as an account that is made for it and disabled: events, a message, a file',
    },
  },
  commands: {
    graph,
    history,
    output: {
      about: 'addresses of Stoat: one value, or all',
      args: ['[NAME]'],
      stdoutIsResult: true,
      options: {
        raw: { type: 'boolean', help: 'the value as it is, which one value is anyway: as terraform output had it' },
      },
      run: async (session) =>
        (await import('@infra/shared/platform/commands/output')).runOutput(
          session,
          (await import('./output.ts')).outputs,
          ['STOAT_DOMAIN'],
        ),
    },
    status: {
      about: 'one look over pods, workloads, versions, the database, volumes, the last backup and copies of the keys',
      stdoutIsResult: true,
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'what one of the programs or stores prints',
      args: ['SERVICE'],
      options: logOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/logs')).runLogs(session, services),
    },
    restart: {
      about: 'new pods for some of the programs and stores, or all of them',
      args: ['[SERVICE...]'],
      sharedOptions: applyOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/restart')).runRestart(session, services),
    },
    'port-forward': {
      about: 'open the gateway, RabbitMQ or MinIO on this machine until Ctrl-C',
      args: ['[gateway|rabbitmq|minio]'],
      options: {
        port: { type: 'string', value: 'PORT', help: 'on this machine (default 8080, 15672 or 9001)' },
      },
      run: async (session) => (await import('./port-forward.ts')).runPortForward(session),
    },
    invite: {
      about: 'let somebody make an account where that takes an invite',
      args: ['[CODE]'],
      stdoutIsResult: true,
      run: async (session) => (await import('./mongo.ts')).runInvite(session),
    },
    'make-admin': {
      about: 'give an account all rights',
      args: ['USERNAME'],
      sharedOptions: ['yes'],
      run: async (session) => (await import('./mongo.ts')).runMakeAdmin(session),
    },
    adopt: {
      about: 'take over what Terraform made under the same names: its keys, and the volumes of MongoDB and MinIO',
      sharedOptions: applyOptions,
      run: async (session) => (await import('./adopt.ts')).runAdopt(session),
    },
    backup: {
      about: 'an encrypted backup of database, files and keys, sealed by your key',
      sharedOptions: locked,
      options: backupOptions,
      run: async (session) => (await import('./backup.ts')).runBackup(session),
    },
    restore: {
      about: 'put a backup back in the place of what is there, and compare all of it',
      args: ['FILE'],
      sharedOptions: ['check', ...locked],
      options: {
        ...identity,
        confirm: { type: 'string', value: 'DOMAIN', help: 'overwrite what is there: the domain, typed beforehand' },
      },
      run: async (session) => (await import('./restore.ts')).runRestore(session),
    },
    drill: {
      about: 'restore a backup into a database and a bucket of its own, compare all of it, and remove both',
      args: ['[FILE]'],
      sharedOptions: locked,
      options: identity,
      run: async (session) => (await import('./drill.ts')).runDrill(session),
    },
    destroy: {
      about: 'take away what was made here; volumes and their keys are kept unless they are named',
      sharedOptions: applyOptions,
      options: {
        data: { type: 'boolean', help: 'also volumes whose names are typed' },
        confirm: {
          type: 'string',
          multiple: true,
          value: 'NAME',
          help: 'the name of one of them, where nobody can type it',
        },
      },
      run: async (session) => (await import('./destroy.ts')).runDestroy(session),
    },
    'show-keys': {
      about: 'the keys and passwords that the cluster holds, as lines for .env.stoat: keep a copy',
      stdoutIsResult: true,
      run: async (session) => (await import('./show-keys.ts')).runShowKeys(session),
    },
  },
}

export default stoat
