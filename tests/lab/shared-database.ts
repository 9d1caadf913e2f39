import { onHost } from './backup-drill.ts'
import type { LabHost } from './host.ts'
import { podSecrets } from './pod-setup.ts'

/** Runs psql as the superuser; statements come on stdin. */
const superuser = (database: string) => `(cd / && runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d ${database})`

/**
 * Gives a deployed pod's databases the shape that earlier versions left, and the Ansible roles before them: one database
 * for Valence and Synapse, open to every role, and no role of Synapse's. Synapse is stopped; its settings still say
 * otherwise.
 */
export const shareDatabase = `systemctl stop matrix-synapse
(cd / && PGUSER=synapse runuser -u matrix-synapse -- pg_dump -Fc synapse | runuser -u valence -- pg_restore --no-owner --no-acl --exit-on-error -d valence)
${superuser('postgres')} <<'END'
DROP DATABASE synapse; DROP ROLE synapse;
GRANT CONNECT, TEMPORARY ON DATABASE valence TO PUBLIC; GRANT CONNECT ON DATABASE postgres TO PUBLIC; GRANT CONNECT ON DATABASE template1 TO PUBLIC;
END
sed -i '/synapse/d' /etc/postgresql/17/main/pg_hba.conf /etc/postgresql/17/main/pg_ident.conf
echo 'SELECT pg_reload_conf()' | ${superuser('postgres')} >/dev/null
rm -rf /var/lib/infra/synapse-move
`

// Kept from the deployment's own words about the database, so that this is what an earlier one wrote.
const settings = `import json, sys
path = "/etc/matrix-synapse/homeserver.yaml"
text = open(path).read().replace("user: synapse\\n", "user: valence\\n    password: " + json.dumps(sys.stdin.read()) + "\\n")
text = text.replace('dbname: "synapse"', 'dbname: "valence"').replace('host: /var/run/postgresql', 'host: localhost')
open(path, "w").write(text)
`

/** Turns a deployed pod into what an earlier version left, with Synapse running on the shared database. */
export async function makeShared(host: LabHost): Promise<void> {
  const password = Buffer.from(podSecrets.VALENCE_DB_PASSWORD ?? '').toString('base64')
  const program = Buffer.from(settings).toString('base64')
  await onHost(
    host,
    `${shareDatabase}
echo ${password} | base64 -d | python3 -c "$(echo ${program} | base64 -d)"
grep -q valence /etc/matrix-synapse/homeserver.yaml
systemctl start matrix-synapse`,
  )
}
