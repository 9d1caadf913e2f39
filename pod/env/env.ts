import { authoritiesFile } from '@infra/shared/env/ca-file'
import { calendar } from '@infra/shared/env/calendar'
import { gitTransport } from '@infra/shared/env/git'
import { privateKeyBeside, privateKeyPath, publicKey, publicKeyFile } from '@infra/shared/env/key-files'
import { domain, email, ip, isPrivateHost, url } from '@infra/shared/env/network'
import { openPorts } from '@infra/shared/env/open-ports'
import { parsed } from '@infra/shared/env/parsed'
import { password } from '@infra/shared/env/random'
import { parseRecipient } from '@infra/shared/env/recipient'
import { anthropicKey, openaiKey, strongSecret } from '@infra/shared/env/secrets'
import type { PublicKey } from '@infra/shared/env/ssh-key'
import { choice, flag, integer, loginName, matching, port, timezone } from '@infra/shared/env/text'
import { type EnvOf, schema, type VariableMeta, variable } from '@infra/shared/env/variable'
import { pgdgKey } from '@infra/shared/steps/postgres/pgdg'
import { dropletVariables } from './droplet.ts'
import { synapseVariables } from './synapse.ts'
import { valenceVariables } from './valence.ts'

const onHost = (key: string, file: string) =>
  `write the value that npm run ssh -w pod -- sudo grep ${key} ${file} prints`
const inVkb = (key: string) => onHost(key, '/opt/valence/config/vkb.env')
const inSynapse = (key: string) => onHost(key, '/etc/matrix-synapse/homeserver.yaml')

const generated = (group: string, description: string, deployed: string) =>
  variable(strongSecret(), {
    group,
    description,
    deployed,
    example: '32 random bytes (openssl rand -base64 32)',
    secret: true,
    generate: password,
  })

const tuning = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Optional settings', ...meta })

const backup = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Backups', ...meta })

const keyGroup = 'SSH Key (choose ONE of these options)'
const matrixGroup = 'Matrix/Synapse secrets'

// A key made for this file, whose private half was thrown away.
const sampleKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA sample@pod.example.com'

export const podSchema = schema(
  'pod',
  'Valence pod',
  {
    VALENCE_POD_IP: variable(ip().optional(), {
      group: 'Infrastructure',
      description: "The droplet's address, IPv4 or IPv6",
      example: '203.0.113.10',
      placeholder: 'your.droplet.ip',
      sample: '203.0.113.10',
      neededFor: ['validate', 'deploy', 'verify', 'access'],
      remedy: 'npm run provision -w pod -- --write-env makes the droplet and writes it; else write it yourself',
      unset: 'the droplet does not exist yet: a plan shows what a blank host would get',
      show: true,
    }),
    VALENCE_DOMAIN: variable(domain(), {
      group: 'Infrastructure',
      description: 'The domain that points to the droplet; the Matrix server name, which can never change',
      example: 'pod.example.com',
      placeholder: 'your.domain.com',
    }),
    LETSENCRYPT_EMAIL: variable(email(), {
      group: 'Infrastructure',
      description: 'Contact of the ACME account; verify warns before the certificate expires',
      example: 'admin@example.com',
      placeholder: 'your@email.com',
    }),

    VALENCE_SSH_PUBKEY_FILE: variable(publicKeyFile().optional(), {
      group: keyGroup,
      description: 'Path to public key file',
      example: '~/.ssh/valence_pod.pub',
      path: true,
      show: true,
    }),
    VALENCE_SSH_PUBKEY: variable(publicKey().optional(), {
      group: keyGroup,
      description: 'Inline key content',
      example: 'ssh-ed25519 AAAA... user@host',
      placeholder: 'ssh-ed25519 AAAA... user@host',
      sample: sampleKey,
    }),

    VALENCE_DB_PASSWORD: generated(
      'Database password',
      'Password of the database role valence',
      inVkb('VKB_DB_PASSWORD'),
    ),
    VALENCE_BOT_PASSWORD: generated(matrixGroup, 'Password of the Matrix user valence-bot', inVkb('MATRIX_PASSWORD')),
    SYNAPSE_ADMIN_PASSWORD: generated(
      matrixGroup,
      'Password of the Matrix user admin',
      'write the password that user admin logs in with (Synapse keeps only its hash)',
    ),
    SYNAPSE_REGISTRATION_SECRET: generated(
      matrixGroup,
      'Lets the deployment register Matrix users',
      inSynapse('registration_shared_secret'),
    ),
    SYNAPSE_MACAROON_SECRET: generated(
      matrixGroup,
      "Signs Synapse's short-lived tokens, such as those of guests, logins in progress and links in e-mails",
      inSynapse('macaroon_secret_key'),
    ),
    SYNAPSE_FORM_SECRET: generated(matrixGroup, 'Protects the forms of Synapse', inSynapse('form_secret')),

    OPENAI_API_KEY: variable(openaiKey(), {
      group: 'API keys for VKB service',
      description: 'OpenAI key, for embeddings',
      example: 'sk-proj-...',
      placeholder: 'sk-...',
      sample: 'sk-sample-0000-not-a-real-key',
      secret: true,
      common: true,
    }),
    ANTHROPIC_API_KEY: variable(anthropicKey().optional(), {
      group: 'API keys for VKB service',
      description: 'Anthropic key (optional)',
      example: 'sk-ant-...',
      placeholder: 'sk-ant-...',
      secret: true,
      common: true,
      unset: 'not written to the host',
    }),

    ...valenceVariables,

    VALENCE_SSH_USER: variable(
      loginName().prefault('root'),
      tuning({
        description: 'The user that logs in to the host; a user other than root needs passwordless sudo',
        example: 'root',
      }),
    ),
    VALENCE_SSH_PRIVATE_KEY_FILE: variable(
      privateKeyPath().optional(),
      tuning({
        description: 'Path to the private key to log in with',
        example: '~/.ssh/valence_pod',
        path: true,
        aliases: ['ANSIBLE_PRIVATE_KEY_FILE'],
        unset: 'ssh tries the agent, the key next to `VALENCE_SSH_PUBKEY_FILE` (without `.pub`) and its defaults',
      }),
    ),
    VALENCE_SSH_PORT: variable(
      port().prefault('22'),
      tuning({ description: 'Port of sshd on the host', example: '22' }),
    ),
    VALENCE_SSH_HOST_KEY: variable(
      publicKey().optional(),
      tuning({
        description: "The host's own public key (`/etc/ssh/ssh_host_ed25519_key.pub` there); no other key is accepted",
        example: 'ssh-ed25519 AAAA...',
        placeholder: 'ssh-ed25519 AAAA...',
        unset: 'the first connection accepts the key, prints it and stores it in `.infra/known_hosts`',
      }),
    ),
    VALENCE_EXTRA_PORTS: variable(
      openPorts().optional(),
      tuning({
        description:
          'More ports that the firewalls open, with optional protocol (default tcp) and source: for TURN, a VPN, your own service',
        example: '3478/udp,49152-65535/udp,5349/tcp from 10.0.0.0/8',
        unset: 'ssh, web and Matrix federation only',
      }),
    ),
    VALENCE_SUDO: variable(
      choice('commands', 'full').prefault('commands'),
      tuning({
        description:
          'What user valence may run as root: `commands`, which are read-only (docs/security.md), or `full` through group sudo',
        example: 'full',
      }),
    ),
    VALENCE_POSTGRES_VERSION: variable(
      integer(13, 40, 'a major version of PostgreSQL').prefault('16'),
      tuning({ description: 'Major version of PostgreSQL', example: '16' }),
    ),
    VALENCE_POSTGRES_KEY_FINGERPRINT: variable(
      matching(/^[0-9A-F]{40}$/, 'the whole fingerprint of a key: 40 hexadecimal digits, upper case').prefault(pgdgKey),
      tuning({
        description:
          'The key that signs apt.postgresql.org; no other key is accepted. Set it when they announce a new one',
        example: pgdgKey,
      }),
    ),
    VALENCE_CLAUDE_CODE: variable(
      flag().prefault('true'),
      tuning({ description: 'Whether to install Claude Code for user valence', example: 'false' }),
    ),
    VALENCE_CLAUDE_INSTALLER_URL: variable(
      url().prefault('https://claude.ai/install.sh'),
      tuning({ description: "Where Claude Code's installer comes from", example: 'https://claude.ai/install.sh' }),
    ),
    VALENCE_CLAUDE_INSTALLER_SHA256: variable(
      matching(/^[0-9a-f]{64}$/, 'a SHA-256: 64 hexadecimal digits, lower case').optional(),
      tuning({
        description: 'The SHA-256 of that installer; a different one is not run',
        example: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
        unset: 'whatever the URL gives is run, as user valence',
      }),
    ),
    VALENCE_TIMEZONE: variable(
      timezone().prefault('UTC'),
      tuning({ description: "The host's time zone", example: 'Europe/Zurich' }),
    ),

    ...synapseVariables,
    VALENCE_CA_FILE: variable(
      authoritiesFile().optional(),
      tuning({
        description:
          'Path to a PEM file with additional authorities that verify trusts, such as a private or staging CA',
        example: './ca.pem',
        path: true,
        unset: 'certificates are checked by the authorities that everybody trusts',
      }),
    ),
    VALENCE_BACKUP_RECIPIENT: variable(
      parsed(parseRecipient).optional(),
      backup({
        description: 'The recipient that backups are encrypted to: an age recipient (age1...), or an ssh public key',
        example: 'age1...',
        placeholder: 'age1...',
        unset: 'the ssh public keys of the pod',
      }),
    ),
    VALENCE_BACKUP_TIMER: variable(
      flag().prefault('false'),
      backup({ description: 'Whether the host makes scheduled backups in /var/backups/valence', example: 'true' }),
    ),
    VALENCE_BACKUP_CALENDAR: variable(
      calendar().prefault('daily'),
      backup({ description: "The schedule (systemd's OnCalendar)", example: 'Mon..Fri 03:30' }),
    ),
    VALENCE_BACKUP_KEEP: variable(
      integer(1, 1000).prefault('7'),
      backup({ description: 'The number of scheduled backups to keep', example: '14' }),
    ),

    ...dropletVariables,
  },
  [
    {
      kind: 'exactly one',
      of: ['VALENCE_SSH_PUBKEY_FILE', 'VALENCE_SSH_PUBKEY'],
      remedy: newKey,
    },
    { kind: 'at most one', of: ['VALENCE_REPO_TOKEN', 'VALENCE_REPO_DEPLOY_KEY_FILE'] },
    {
      kind: 'check',
      of: ['VALENCE_REPO_TOKEN', 'VALENCE_REPO_URL'],
      check: ([, address]) => tokenFits(String(address)),
    },
    {
      kind: 'check',
      of: ['VALENCE_REPO_DEPLOY_KEY_FILE', 'VALENCE_REPO_URL'],
      check: ([, address]) =>
        gitTransport(String(address)) === 'ssh'
          ? undefined
          : 'needs an ssh address in VALENCE_REPO_URL, such as git@github.com:owner/name.git',
    },
  ],
  [['VALENCE_POD_IP']],
)

export type PodEnv = EnvOf<typeof podSchema>

/** The public keys that shall log in, from whichever of the two variables is set. */
export function podPublicKeys(
  env: Pick<PodEnv, 'VALENCE_SSH_PUBKEY_FILE' | 'VALENCE_SSH_PUBKEY'>,
): readonly PublicKey[] {
  return env.VALENCE_SSH_PUBKEY_FILE?.keys ?? (env.VALENCE_SSH_PUBKEY ? [env.VALENCE_SSH_PUBKEY] : [])
}

/** The private half of VALENCE_SSH_PUBKEY_FILE where it lies beside that file: to be tried before ssh's own defaults. */
export const privateKeyOfPod = (env: Pick<PodEnv, 'VALENCE_SSH_PUBKEY_FILE'>): string | undefined =>
  env.VALENCE_SSH_PUBKEY_FILE && privateKeyBeside(env.VALENCE_SSH_PUBKEY_FILE.path)

/** A key of its own for each environment: whoever may enter one shall not enter the other by it. */
function newKey(file = '.env.pod'): string {
  const key = ['~/.ssh/valence_pod', ...file.split('.').slice(3)].join('_')
  return `ssh-keygen -t ed25519 -f ${key} makes a key; then in ${file}: VALENCE_SSH_PUBKEY_FILE="${key}.pub"`
}

function tokenFits(address: string): string | undefined {
  if (gitTransport(address) !== 'http') return 'needs an https address in VALENCE_REPO_URL'
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || isPrivateHost(hostname)
    ? undefined
    : 'would travel unencrypted: VALENCE_REPO_URL is plain http'
}
