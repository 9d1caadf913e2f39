import type { LabHost } from './host.ts'

/** Runs on a host what must succeed. */
export async function onHost(host: LabHost, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(`set -e\n${script}`)
  if (code !== 0) throw new Error(`${script}\nended with ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Beside a deployed pod's own, data of every kind that a backup must hold: rows, vectors, a role, settings, media. */
export const fill = `cd / && runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d valence <<'END'
create table notes (id serial primary key, body text not null, place vector(3));
insert into notes (body, place) select 'grüße ''' || n || E'\\\\\\n', ('[' || n || ',0,1]')::vector from generate_series(1, 3000) n;
create table "odd Name" (a int); insert into "odd Name" values (1), (2);
create role analyst; grant select on notes to analyst; alter table notes owner to valence; alter table "odd Name" owner to valence;
END
install -m 0640 -g matrix-synapse /dev/null /etc/matrix-synapse/conf.d/own.yaml; echo 'x: 1' >/etc/matrix-synapse/conf.d/own.yaml
install -d -m 0750 -o matrix-synapse -g matrix-synapse /var/lib/matrix-synapse/media/local_content
cd /var/lib/matrix-synapse/media/local_content
# More than one piece of the archive.
head -c 40000000 /dev/urandom >big; echo small >'a name with blanks'; echo x >ümlaut; : >empty; chmod 0600 big
chown matrix-synapse: *`

const dump = (tables: string, database = 'valence') =>
  `cd / && runuser -u postgres -- pg_dump -d ${database} ${tables} | grep -v '^.\\(un\\)\\?restrict'`

const files = `find /etc/matrix-synapse /var/lib/matrix-synapse/media /opt/valence/config -name '*before-restore*' -prune -o -printf '%p %y %m %u:%g\\n' | sort
find /etc/matrix-synapse /var/lib/matrix-synapse/media /opt/valence/config -name '*before-restore*' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`

/**
 * All of that as text: the dumps of the databases, and every file with its owner, mode and checksum. Synapse writes by
 * itself whenever it runs (that it was started, who is present): only while it is stopped is this the same twice.
 */
export const everything = `${dump('')}\n${dump('', 'synapse')}\n${files}`

/** The same without Synapse's database. */
export const apartFromSynapse = `${dump(
  ['notes', '"odd Name"', 'beliefs', 'belief_*', 'entities', 'sources', 'tensions', 'vkb_*', 'embedding_*']
    .map((table) => `-t '${table}'`)
    .join(' '),
)}\n${files}`

/** What an interrupted backup or restore could leave on a host. */
export const leftovers = `ls -d /run/valence-backup* /run/valence-restore* /run/infra/lock /var/lib/infra/restore.* /var/lib/infra/undo-restore* 2>/dev/null || true; pgrep -l 'pg_dump|^age$' || true
find /etc /opt /var/lib/matrix-synapse -name '.restoring*'; cd / && runuser -u postgres -- psql -XqAtc "select datname from pg_database where datname like '%_restoring'"`
