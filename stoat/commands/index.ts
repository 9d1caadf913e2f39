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
    help: 'the private key that decrypts it (default STOAT_BACKUP_IDENTITY_FILE)',
  },
  'trust-archive': {
    type: 'boolean',
    help: 'accept an archive without a known seal: an old one, or another operator’s',
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
    prune: { type: 'boolean', help: 'delete objects of this workspace that are no longer declared' },
    'has-backup': {
      type: 'boolean',
      help: 'allow an irreversible upgrade: you have another kind of backup, such as a snapshot',
    },
  },
  verifyOptions: {
    smoke: {
      type: 'boolean',
      help: 'also act as a user, with a temporary account: events, a message, a file',
    },
  },
  commands: {
    graph,
    history,
    output: {
      about: 'show one address of Stoat, or all',
      args: ['[NAME]'],
      stdoutIsResult: true,
      options: {
        raw: {
          type: 'boolean',
          help: 'print the plain value, which is the default for one value, like terraform output',
        },
      },
      run: async (session) =>
        (await import('@infra/shared/platform/commands/output')).runOutput(
          session,
          (await import('./output.ts')).outputs,
          ['STOAT_DOMAIN'],
        ),
    },
    status: {
      about: 'show pods, workloads, versions, the database, volumes, the last backup and copies of the keys',
      stdoutIsResult: true,
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'show the logs of a program or data store',
      args: ['SERVICE'],
      values: Object.keys(services.services),
      options: logOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/logs')).runLogs(session, services),
    },
    restart: {
      about: 'restart some of the programs and data stores, or all of them',
      args: ['[SERVICE...]'],
      values: Object.keys(services.services),
      sharedOptions: applyOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/restart')).runRestart(session, services),
    },
    'port-forward': {
      about: 'forward a local port to the gateway, RabbitMQ or MinIO until Ctrl-C',
      args: ['[gateway|rabbitmq|minio]'],
      options: {
        port: { type: 'string', value: 'PORT', help: 'the local port (default 8080, 15672 or 9001)' },
      },
      run: async (session) => (await import('./port-forward.ts')).runPortForward(session),
    },
    invite: {
      about: 'create an invite, for a Stoat that is invite-only',
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
      about: 'adopt what Terraform created under the same names: its keys, and the volumes of MongoDB and MinIO',
      sharedOptions: applyOptions,
      run: async (session) => (await import('./adopt.ts')).runAdopt(session),
    },
    backup: {
      about: 'make an encrypted backup of database, files and keys, sealed with your key',
      sharedOptions: locked,
      options: backupOptions,
      run: async (session) => (await import('./backup.ts')).runBackup(session),
    },
    restore: {
      about: 'replace all data with a backup, and compare all of it',
      args: ['FILE'],
      sharedOptions: ['check', ...locked],
      options: {
        ...identity,
        confirm: { type: 'string', value: 'DOMAIN', help: 'confirm the overwrite with the domain' },
      },
      run: async (session) => (await import('./restore.ts')).runRestore(session),
    },
    drill: {
      about: 'restore a backup into a temporary database and bucket, compare all of it, and remove both',
      args: ['[FILE]'],
      sharedOptions: locked,
      options: identity,
      run: async (session) => (await import('./drill.ts')).runDrill(session),
    },
    destroy: {
      about: 'delete what was created here; volumes and their keys are kept unless you name them',
      sharedOptions: applyOptions,
      options: {
        data: { type: 'boolean', help: 'also delete volumes that you confirm by name' },
        confirm: {
          type: 'string',
          multiple: true,
          value: 'NAME',
          help: 'confirm one of them by name without a prompt',
        },
      },
      run: async (session) => (await import('./destroy.ts')).runDestroy(session),
    },
    'show-keys': {
      about: 'print the keys and passwords in the cluster as lines for .env.stoat: keep a copy',
      stdoutIsResult: true,
      run: async (session) => (await import('./show-keys.ts')).runShowKeys(session),
    },
  },
}

export default stoat
