import type { OwnSyntax } from '@infra/shared/cli/options'

/** The commands of the pod beside the shared ones. */
export const own: OwnSyntax = {
  commands: {
    status: { about: 'how it is: services, versions, certificate, disk, memory, backups' },
    logs: { about: 'what a service said; -f goes on until Ctrl-C', words: ['SERVICE'] },
    ssh: { about: 'a terminal on the host, or a command there', words: ['[COMMAND...]'], verbatim: true },
    psql: { about: 'the database, as its superuser: a terminal, or statements', words: ['[SQL...]'] },
    backup: { about: 'fetch an encrypted backup of all that would be lost', takes: ['lock-timeout'] },
    restore: { about: 'put a backup back', words: ['FILE'], takes: ['lock-timeout'] },
  },
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on with what comes, until Ctrl-C', of: ['logs'] },
    lines: { type: 'string', short: 'n', value: 'LINES', help: 'how many lines (default 100)', of: ['logs'] },
    since: { type: 'string', value: 'TIME', help: 'not before: "10 minutes ago", "today"', of: ['logs'] },
    to: { type: 'string', value: 'PATH', help: 'a file, or a folder to make one in (default: here)', of: ['backup'] },
    key: {
      type: 'string',
      value: 'KEY',
      help: 'whom to encrypt to: age1…, an ssh public key, or a file of them',
      of: ['backup'],
    },
    identity: {
      type: 'string',
      value: 'KEYFILE',
      help: 'the private key that opens it (default VALENCE_SSH_PRIVATE_KEY_FILE)',
      of: ['restore'],
    },
    confirm: {
      type: 'string',
      value: 'DOMAIN',
      help: 'overwrite what is there: the domain, typed beforehand',
      of: ['restore'],
    },
  },
}

/** What only `provision` has: the droplet, its key and its DNS records. */
export const provisionSyntax: OwnSyntax = {
  options: {
    'write-env': {
      type: 'boolean',
      help: "keep the droplet's address in .env.pod, where the deployment finds it",
      of: ['plan', 'deploy'],
    },
  },
}
