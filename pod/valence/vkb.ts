import type { Text } from '@infra/shared/command/command'
import { envLines, postgresUrl } from '@infra/shared/command/env-lines'
import type { SchemaPlace } from '@infra/shared/facts/postgres/schema'
import type { PodEnv } from '../env/env.ts'
import { home, repository, user, venvPath } from './valence.ts'

/** Where the settings of the knowledge base are. */
export const configFolder = `${home}/config`
export const vkbEnv = `${configFolder}/vkb.env`

/** The schema of the knowledge base, in the repository. */
export const vkbSchema: SchemaPlace = {
  database: 'valence',
  owner: user,
  folder: `${repository}/src/valence/substrate`,
  files: ['schema.sql', 'procedures.sql'],
}

/** Everything that Valence reads from its environment; secrets in it. */
export function vkbVariables(env: PodEnv): Text {
  const at = { user, password: env.VALENCE_DB_PASSWORD, host: 'localhost', port: 5432, database: 'valence' }
  return envLines(
    {
      DATABASE_URL: postgresUrl(at),
      VKB_DB_HOST: at.host,
      VKB_DB_PORT: String(at.port),
      VKB_DB_NAME: at.database,
      VKB_DB_USER: at.user,
      VKB_DB_PASSWORD: at.password,
      MATRIX_HOMESERVER: `https://${env.VALENCE_DOMAIN}`,
      MATRIX_USER: `@valence-bot:${env.VALENCE_DOMAIN}`,
      MATRIX_PASSWORD: env.VALENCE_BOT_PASSWORD,
      // Without it Valence makes embeddings of 384 numbers by itself, and the schema's columns have 1536.
      VALENCE_EMBEDDING_PROVIDER: 'openai',
      OPENAI_API_KEY: env.OPENAI_API_KEY,
      ANTHROPIC_API_KEY: env.ANTHROPIC_API_KEY,
      MCP_HOST: '127.0.0.1',
      MCP_PORT: '8765',
      // Root's own Python would leave files in the checkout, which is valence's alone.
      PYTHONDONTWRITEBYTECODE: '1',
    },
    'Written by the deployment, which puts back what is changed here. Read by sh (source) and by systemd.',
  )
}

/** The program of an MCP server of Valence, for a shell that has sourced its settings. */
export const mcpServer = (module: string) => `${venvPath}/bin/python -m ${module}`

const claudeServer = (module: string) => ({
  type: 'stdio',
  command: '/bin/sh',
  args: ['-c', `. ${vkbEnv} && exec ${mcpServer(module)}`],
  env: {},
})

/** What Claude Code starts by itself, as `claude mcp add --scope user` would note it; no secret in it. */
export const claudeServers = {
  'valence-substrate': claudeServer('valence.substrate.mcp_server'),
  'valence-vkb': claudeServer('valence.vkb.mcp_server'),
}

/** The server as a service, for whoever gives it something to talk to: on its own its stdin is closed and it ends. */
export const vkbUnit = `[Unit]
Description=Valence knowledge base, MCP server on stdio
After=network-online.target postgresql.service matrix-synapse.service
Wants=network-online.target

[Service]
User=${user}
Group=${user}
WorkingDirectory=${repository}
EnvironmentFile=${vkbEnv}
Environment=XDG_CACHE_HOME=/var/cache/valence HF_HOME=/var/cache/valence/huggingface
ExecStart=${mcpServer('valence.substrate.mcp_server')}
Restart=on-failure
RestartSec=5
CacheDirectory=valence
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ReadWritePaths=${home}
ReadOnlyPaths=${repository} ${venvPath} ${configFolder}
ProtectHome=yes
ProtectHostname=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# Its models are compiled while they run, and look at processors and memory: no MemoryDenyWriteExecute, no ProcSubset.
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
ProtectProc=invisible

[Install]
WantedBy=multi-user.target
`

/** The columns of the core tables that the servers work with. */
export const coreColumns: Readonly<Record<string, readonly string[]>> = {
  sources: ['id', 'type', 'session_id'],
  beliefs: ['id', 'content', 'confidence', 'domain_path', 'source_id', 'status', 'embedding', 'created_at'],
  entities: ['id', 'name', 'type', 'aliases'],
  belief_entities: ['belief_id', 'entity_id', 'role'],
  tensions: ['id', 'belief_a_id', 'belief_b_id', 'type', 'status'],
  vkb_sessions: ['id', 'platform', 'status', 'metadata', 'started_at'],
  vkb_exchanges: ['id', 'session_id', 'sequence', 'role', 'content'],
  vkb_patterns: ['id', 'type', 'description', 'status'],
}
