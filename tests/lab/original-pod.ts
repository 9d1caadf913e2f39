import { acmeDirectory } from './acme.ts'
import type { Pod } from './pod-setup.ts'
import { podSecrets } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { shareDatabase } from './shared-database.ts'

/** The Matrix user who administers it. */
export const originalAdmin = 'chris'

const quoted = (name: string) => JSON.stringify(podSecrets[name])

const synapse = '/etc/matrix-synapse'

const homeserver = `server_name: "${domain}"
pid_file: /var/run/matrix-synapse.pid
listeners:
  - port: 8008
    tls: false
    type: http
    x_forwarded: true
    bind_addresses: ['127.0.0.1']
    resources:
      - names: [client, federation]
        compress: false
log_config: "${synapse}/log.yaml"
media_store_path: /var/lib/matrix-synapse/media
uploads_path: /var/lib/matrix-synapse/uploads
enable_registration: false
enable_registration_without_verification: false
registration_shared_secret: ${quoted('SYNAPSE_REGISTRATION_SECRET')}
macaroon_secret_key: ${quoted('SYNAPSE_MACAROON_SECRET')}
form_secret: ${quoted('SYNAPSE_FORM_SECRET')}
signing_key_path: "${synapse}/${domain}.signing.key"
trusted_key_servers:
  - server_name: "matrix.org"
rc_messages_per_second: 1000
rc_message_burst_count: 1000
suppress_key_server_warning: true
app_service_config_files: []
`

const log = `version: 1
handlers: {console: {class: logging.StreamHandler}}
root: {level: INFO, handlers: [console]}
`

const database = `database:
  name: psycopg2
  args:
    user: "valence"
    password: ${quoted('VALENCE_DB_PASSWORD')}
    database: "valence"
    host: localhost
    cp_min: 5
    cp_max: 10
`

// As Synapse's Debian package has it.
const unit = `[Unit]
Description=Synapse Matrix homeserver
[Service]
Type=notify
User=matrix-synapse
WorkingDirectory=/var/lib/matrix-synapse
ExecStart=/opt/venvs/matrix-synapse/bin/python -m synapse.app.homeserver --config-path=/etc/matrix-synapse/homeserver.yaml --config-path=/etc/matrix-synapse/conf.d/
Restart=always
RestartSec=3
[Install]
WantedBy=multi-user.target
`

// An MCP server on stdio that nobody talks to ends at once.
const flapping = `[Unit]
Description=VKB MCP server
StartLimitIntervalSec=0
[Service]
User=valence
EnvironmentFile=/opt/valence/config/vkb.env
ExecStart=/bin/sh -c 'exec /opt/valence/venv/bin/python -m valence.substrate.mcp_server </dev/null'
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
`

// It answers for the domain alone, and proves that from another folder than ours; the last location is of its owner.
const site = `server {
    listen 80;
    listen [::]:80;
    server_name ${domain};
    location /.well-known/acme-challenge/ { root /var/www/html; }
    location / { return 301 https://$host$request_uri; }
}
server {
    listen 443 ssl;
    listen [::]:443 ssl;
    listen 8448 ssl;
    listen [::]:8448 ssl;
    server_name ${domain};
    ssl_certificate /etc/letsencrypt/live/${domain}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/${domain}/privkey.pem;
    add_header Strict-Transport-Security "max-age=63072000" always;
    location ~* ^(\\/_matrix|\\/_synapse\\/client) { proxy_pass http://127.0.0.1:8008; client_max_body_size 50M; }
    location /hello { return 200 "mine"; }
}
`

/** The certificate, by the folder that the site serves: of the domain alone. The account is of another run's authority. */
const certificate = `rm -rf /etc/letsencrypt/accounts && mkdir -p /var/www/html
certbot certonly -q --non-interactive --agree-tos --email admin@lab.example.org --server ${acmeDirectory} --webroot -w /var/www/html \\
  --cert-name ${domain} -d ${domain} --force-renewal --renew-with-new-domains
systemctl reload nginx
`

/** The administrator has another name: everything that the one of ours has in Synapse's tables becomes theirs. */
const administrator = `SET session_replication_role = replica;
DO $$ DECLARE one record; BEGIN
FOR one IN SELECT table_name, column_name FROM information_schema.columns JOIN pg_tables ON schemaname = table_schema AND tablename = table_name
  WHERE table_schema = 'public' AND data_type = 'text' LOOP
  EXECUTE format('UPDATE %I SET %I = %L WHERE %I = %L', one.table_name, one.column_name, '@${originalAdmin}:${domain}', one.column_name, '@admin:${domain}');
END LOOP; END $$;
UPDATE profiles SET user_id = '${originalAdmin}' WHERE user_id = 'admin';
`

const jail = `[DEFAULT]
ignoreip = 127.0.0.1/8 ::1
[sshd]
enabled = true
port = ssh
filter = sshd
logpath = /var/log/auth.log
maxretry = 10
findtime = 300
bantime = 600
`

/** The settings of Valence: theirs lacks what only ours says, and its owner added to it. */
const settings = `sed -i -E '/^(#|VKB_DB_PORT|VALENCE_EMBEDDING_PROVIDER|ANTHROPIC_API_KEY|PYTHONDONTWRITEBYTECODE)/d' /opt/valence/config/vkb.env
echo OPENAI_BASE_URL=https://proxy.example.org/v1 >>/opt/valence/config/vkb.env
`

/** The sources of packages, without the keys that sign them. */
const sources = {
  'packages_matrix_org_debian.list': 'deb https://packages.matrix.org/debian/ trixie main\n',
  'apt_postgresql_org_pub_repos_apt.list': 'deb http://apt.postgresql.org/pub/repos/apt trixie-pgdg main\n',
}

/** The lines of sshd_config, as they are or commented out, are replaced in their places. */
const sshd = {
  PermitRootLogin: 'prohibit-password',
  PasswordAuthentication: 'no',
  PubkeyAuthentication: 'yes',
  X11Forwarding: 'no',
}

const write = (path: string, mode: string, text: string) =>
  `cat >${path} <<'ORIGINAL'\n${text}ORIGINAL\nchmod ${mode} ${path}\n`

/**
 * Turns a host that we deployed into what the Ansible roles before us left: their files, users, database and markers, and
 * none of what only we write. Its data and its keys stay.
 */
export async function makeOriginal({ host }: Pod): Promise<void> {
  const script = `set -e
${shareDatabase}
systemctl disable --quiet --now matrix-synapse nginx
rm -rf /var/lib/infra /etc/systemd/system/matrix-synapse.service /etc/systemd/system/matrix-synapse.service.d
rm -rf /etc/letsencrypt/renewal-hooks /var/www/acme /etc/nginx/sites-available/valence /etc/nginx/sites-enabled/valence
rm /etc/ssh/sshd_config.d/00-valence.conf /etc/fail2ban/jail.d/zz-sshd.local
sed -i -E ${Object.entries(sshd)
    .map(([name, value]) => `-e 's/^#?${name} .*/${name} ${value}/'`)
    .join(' ')} /etc/ssh/sshd_config
${Object.entries(sources)
  .map(([name, line]) => write(`/etc/apt/sources.list.d/${name}`, '644', line))
  .join('')}
${write('/etc/fail2ban/jail.local', '644', jail)}
${write('/usr/lib/systemd/system/matrix-synapse.service', '644', unit)}
${write(`${synapse}/homeserver.yaml`, '644', homeserver)}
${write(`${synapse}/log.yaml`, '644', log)}
${write(`${synapse}/conf.d/server_name.yaml`, '644', `# Managed by Ansible\nserver_name: "${domain}"\n`)}
${write(`${synapse}/conf.d/report_stats.yaml`, '644', 'report_stats: false\n')}
${write(`${synapse}/conf.d/database.yaml`, '640', database)}
chgrp matrix-synapse ${synapse}/conf.d/database.yaml
# The key that the roles made, beside the one that Debian's package makes when it first starts.
mv ${synapse}/homeserver.signing.key ${synapse}/${domain}.signing.key
/opt/venvs/matrix-synapse/bin/generate_signing_key -o ${synapse}/homeserver.signing.key
chmod 640 ${synapse}/*.signing.key && chown matrix-synapse: ${synapse} ${synapse}/*.signing.key
# What rsync brings, and something of the pod's own.
rm -rf /opt/valence/repo/.git
runuser -u valence -- touch /opt/valence/repo/notes.sqlite
${write('/etc/nginx/sites-available/synapse', '644', site)}
ln -s /etc/nginx/sites-available/synapse /etc/nginx/sites-enabled/synapse
(cd / && runuser -u postgres -- psql -qXc 'ALTER DATABASE valence OWNER TO postgres' -c 'ALTER SYSTEM RESET ALL')
(cd / && runuser -u postgres -- psql -qXd valence) <<'END'
GRANT ALL ON DATABASE valence TO valence; GRANT ALL ON SCHEMA public TO valence;
DROP SCHEMA infra CASCADE; ALTER TABLE beliefs DROP COLUMN holder_id CASCADE;
INSERT INTO beliefs (content) VALUES ('pods last');
${administrator}END
${write('/etc/systemd/system/vkb.service', '644', flapping)}
${settings}
# Who has sudo, the folders, and what a pip of root's left in the venv.
rm /etc/sudoers.d/00-valence && usermod -aG sudo valence
sed -i 's|/.local/bin|/.claude/bin|' /home/valence/.bashrc
chown valence: /opt/valence
chown -R root: /opt/valence/venv/lib/python3*/site-packages/pip
touch /opt/valence/.admin_user_created /opt/valence/.schema_initialized /opt/valence/.bot_user_created
systemctl daemon-reload
systemctl restart ssh fail2ban postgresql@17-main
systemctl enable --quiet --now matrix-synapse nginx vkb
${certificate}`
  const { code, stdout, stderr } = await host.exec(script)
  if (code !== 0) throw new Error(`lab: the original cannot be made\n${stdout}${stderr}`)
}
