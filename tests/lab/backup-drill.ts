import type { LabHost } from './host.ts'

/** Runs on a host what must succeed. */
export async function onHost(host: LabHost, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(`set -e\n${script}`)
  if (code !== 0) throw new Error(`${script}\nended with ${code}\n${stdout}${stderr}`)
  return stdout
}

/** A user for Synapse's files, where no Synapse was deployed. */
export const synapseUser = 'id matrix-synapse >/dev/null 2>&1 || useradd --system --no-create-home matrix-synapse'

/** Data of every kind that a backup must hold: rows, vectors, a role of the user's own, keys, settings, media. */
export const fill = `${synapseUser}
cd / && runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d valence <<'END'
create table notes (id serial primary key, body text not null, place vector(3));
insert into notes (body, place) select 'grüße ''' || n || E'\\\\\\n', ('[' || n || ',0,1]')::vector from generate_series(1, 3000) n;
create table "odd Name" (a int); insert into "odd Name" values (1), (2);
create role analyst; grant select on notes to analyst; alter table notes owner to valence;
END
install -d -m 0750 -o matrix-synapse /etc/matrix-synapse/conf.d /var/lib/matrix-synapse/media/local_content
[ -s /etc/matrix-synapse/homeserver.yaml ] || printf 'server_name: "pod.lab.example.org"\\n' >/etc/matrix-synapse/homeserver.yaml
[ -n "$(ls /etc/matrix-synapse/*.signing.key 2>/dev/null)" ] || echo 'ed25519 a_lab 0123456789' >/etc/matrix-synapse/pod.lab.example.org.signing.key
echo 'x: 1' >/etc/matrix-synapse/conf.d/own.yaml
cd /var/lib/matrix-synapse/media/local_content
# More than one piece of the archive.
head -c 40000000 /dev/urandom >big; echo small >'a name with blanks'; echo x >ümlaut; : >empty; chmod 0600 big
chown -R matrix-synapse: /etc/matrix-synapse /var/lib/matrix-synapse/media; chmod 0640 /etc/matrix-synapse/homeserver.yaml /etc/matrix-synapse/*.signing.key
install -d -o valence -m 0700 /opt/valence/config; [ -e /opt/valence/config/vkb.env ] || echo 'A=1' >/opt/valence/config/vkb.env
chmod 0600 /opt/valence/config/vkb.env; chown -R valence: /opt/valence/config`

/** All of that as text: the dump of the database, and every file with its owner, mode and checksum. */
export const everything = `cd / && runuser -u postgres -- pg_dump -d valence | grep -v '^.\\(un\\)\\?restrict'
find /etc/matrix-synapse /var/lib/matrix-synapse/media /opt/valence/config -name '*before-restore*' -prune -o -printf '%p %y %m %u:%g\\n' | sort
find /etc/matrix-synapse /var/lib/matrix-synapse/media /opt/valence/config -name '*before-restore*' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`

/** What an interrupted backup or restore could leave on a host. */
export const leftovers = `ls -d /run/valence-backup* /run/infra/lock /var/lib/infra/restore.* 2>/dev/null || true; pgrep -l 'pg_dump|^age$' || true
find /etc /opt /var/lib/matrix-synapse -name '*.restoring'; cd / && runuser -u postgres -- psql -XqAtc "select datname from pg_database where datname = 'valence_restoring'"`
