import { type Output, plainText, type Text, text } from '@infra/shared/command/command'
import { type Shell, sh } from '@infra/shared/command/sh'
import { yaml } from '@infra/shared/command/yaml'
import { synapseConfig, synapseDropIns, synapseFolder, synapseMark } from '@infra/shared/facts/synapse/config'
import type { MatrixServer, MatrixUser } from '@infra/shared/facts/synapse/matrix-users'
import type { PodEnv } from '../env/env.ts'
import { decidedSettings } from '../env/synapse.ts'
import { maxUploadSize } from './upload.ts'

/** Where Synapse's parts are on the host: those of its Debian package. */
export const synapseUser = 'matrix-synapse'
export const synapseUnit = 'matrix-synapse.service'
export const synapseVenv = '/opt/venvs/matrix-synapse'
export const synapseState = '/var/lib/matrix-synapse'
export const synapseMedia = `${synapseState}/media`
export const signingKey = `${synapseFolder}/homeserver.signing.key`
/** Its own, which Valence cannot connect to. */
export const synapseDatabaseName = 'synapse'
/** The role that Synapse is there: PostgreSQL takes its account for it, without a password. */
export const synapseRole = 'synapse'
/** Database and role that it shared with Valence where an earlier version deployed it, or the Ansible roles before us. */
export const sharedPlace = { database: 'valence', role: 'valence' } as const
/** Where Synapse answers on the host; from outside only by nginx. */
export const synapseUrl = 'http://127.0.0.1:8008'

/** What Synapse reads when it starts. */
export const synapseFiles: readonly string[] = [
  synapseConfig,
  // The folder counts, for files that went.
  synapseDropIns,
  `${synapseDropIns}/*.yaml`,
  signingKey,
  `/etc/systemd/system/${synapseUnit}`,
  `/etc/systemd/system/${synapseUnit}.d/*.conf`,
  `${synapseVenv}/lib/python3*/site-packages/matrix_synapse-*.dist-info/INSTALLER`,
]

/** The Matrix server, for questions about its users. */
export const matrixServer = (env: PodEnv): MatrixServer => ({
  serverName: env.VALENCE_DOMAIN,
  database: synapseDatabaseName,
  role: synapseRole,
  before: sharedPlace,
  venv: synapseVenv,
})

/** The users that the deployment keeps: an administrator, and the bot that speaks for Valence. */
export const podUsers = (env: PodEnv): readonly MatrixUser[] => [
  { name: 'admin', admin: true, password: env.SYNAPSE_ADMIN_PASSWORD },
  { name: 'valence-bot', admin: false, password: env.VALENCE_BOT_PASSWORD },
]

/** What homeserver.yaml says, by the names at its top. */
function settings(env: PodEnv): Readonly<Record<string, Text>> {
  return {
    // Unquoted: Debian's package compares it so with its own answer, and would write the file anew at each upgrade.
    server_name: plainText(env.VALENCE_DOMAIN),
    public_baseurl: yaml`${`https://${env.VALENCE_DOMAIN}/`}`,
    report_stats: yaml`false`,
    listeners: plainText(`
  - port: 8008
    bind_addresses: ["127.0.0.1"]
    type: http
    tls: false
    x_forwarded: true
    resources:
      - names: [client, federation]`),
    database: yaml`
  name: psycopg2
  args:
    user: ${plainText(synapseRole)}
    dbname: ${synapseDatabaseName}
    host: /var/run/postgresql
    cp_min: 5
    cp_max: 10`,
    media_store_path: yaml`${synapseMedia}`,
    max_upload_size: plainText(maxUploadSize),
    signing_key_path: yaml`${signingKey}`,
    trusted_key_servers: plainText(`
  - server_name: matrix.org`),
    suppress_key_server_warning: yaml`true`,
    enable_registration: yaml`false`,
    registration_shared_secret: yaml`${env.SYNAPSE_REGISTRATION_SECRET}`,
    macaroon_secret_key: yaml`${env.SYNAPSE_MACAROON_SECRET}`,
    form_secret: yaml`${env.SYNAPSE_FORM_SECRET}`,
    // A bot speaks faster than people do.
    rc_message: plainText(`
  per_second: 10
  burst_count: 50`),
    rc_login: plainText(`
  address: {per_second: 0.5, burst_count: 10}
  account: {per_second: 0.5, burst_count: 10}
  failed_attempts: {per_second: 0.17, burst_count: 5}`),
  }
}

/** The names at the top of homeserver.yaml: they are said there and nowhere else. */
export const synapseKeys = (env: PodEnv): readonly string[] => [
  ...new Set([...Object.keys(settings(env)), ...(env.SYNAPSE_EXTRA_CONFIG_FILE?.names ?? [])]),
]

/** What Debian's package and the Ansible roles before us wrote into homeserver.yaml, and no server misses. */
const needless: readonly string[] = [
  'pid_file',
  'log_config',
  'uploads_path',
  'rc_messages_per_second',
  'rc_message_burst_count',
  // Of no account while nobody registers, which the deployment says.
  'enable_registration_without_verification',
]

/** What is known of a homeserver.yaml that somebody else wrote. */
export const settingsBefore = { needless, decided: decidedSettings } as const

/** The whole homeserver.yaml: what the user's own file sets comes last and replaces what the deployment says of it. */
export function homeserver(env: PodEnv): Text {
  const extra = env.SYNAPSE_EXTRA_CONFIG_FILE
  const own = Object.entries(settings(env)).filter(([name]) => !extra?.names.includes(name))
  const said = own.reduce(
    (before, [name, value]) => text`${before}${name}: ${value}\n`,
    plainText(`${synapseMark}: it overwrites edits. SYNAPSE_EXTRA_CONFIG_FILE is the place for settings of yours.\n`),
  )
  return extra ? text`${said}\n${extra.content.replace(/^(---|\.\.\.)\s*$/gm, '').trimEnd()}\n` : said
}

/** Shell text that has Synapse itself read a configuration, as the user that it runs as. */
export const synapseReads = (config: Shell): Shell =>
  sh`(cd / && runuser -u ${synapseUser} -- ${`${synapseVenv}/bin/python`} -B -m synapse.config -c ${config} -c ${`${synapseDropIns}/`} >/dev/null)`

/** Waits until Synapse answers; ends early when it has ended. */
export const synapseReady = sh`{ i=0; until curl -fsS -o /dev/null --noproxy '*' ${`${synapseUrl}/health`} 2>/dev/null; do
i=$((i+1)); [ $i -le 240 ] && [ "$(systemctl is-active ${synapseUnit})" != failed ] || { echo 'Synapse does not answer' >&2; i=; break; }; sleep 0.25; done; [ -n "$i" ]; }`

/** What Synapse means by not taking a configuration, in a line. */
export const explainConfig = (output: Output): string => `Synapse does not take it: ${causeOf(output) ?? 'see below'}`

const leftAlone = 'Synapse was left as it is'

/** Tries all that a running Synapse will read, before it is restarted: a file that anybody put there may be broken. */
export const synapseSound = sh`{ ! systemctl is-active --quiet ${synapseUnit} || ${synapseReads(sh`${synapseConfig}`)} || { echo ${leftAlone} >&2; false; }; }`

/** What Synapse means by not starting, in a line. */
export const explainStart = (output: Output): string =>
  output.stderr.trimEnd().endsWith(leftAlone)
    ? `${explainConfig({ ...output, stderr: output.stderr.trimEnd().slice(0, -leftAlone.length) })} (${leftAlone})`
    : `Synapse does not start: ${causeOf(output) ?? 'see below'}`

function causeOf({ stdout, stderr }: Output): string | undefined {
  const lines = (stdout + stderr).split('\n').map((line) => line.trim())
  const setting = lines.findIndex((line) => line.startsWith('Error in configuration'))
  if (setting >= 0)
    return lines
      .slice(setting, setting + 3)
      .join(' ')
      .trim()
  return lines.findLast((line) => /^([\w.]+\.)?\w*(Error|Exception|Locale)\w*: /.test(line)) ?? lines.findLast(Boolean)
}

/** Its unit where no package brings one, and what closes it in either way. */
export const unitFile = `[Unit]
Description=Synapse Matrix homeserver
After=network-online.target postgresql.service
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
User=${synapseUser}
Group=${synapseUser}
WorkingDirectory=${synapseState}
ExecStart=${synapseVenv}/bin/python -m synapse.app.homeserver --config-path=${synapseConfig} --config-path=${synapseDropIns}/
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=3
SyslogIdentifier=matrix-synapse

[Install]
WantedBy=multi-user.target
`

export const hardening = `[Service]
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths=${synapseState}
ReadWritePaths=-/var/log/matrix-synapse
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectProc=invisible
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0027
`
