import { secret } from '@infra/shared/command/secret'
import type { Target } from '@infra/shared/engine/target'
import { jsonFileEntries } from '@infra/shared/steps/host/json-entry'
import { venv as venvStep } from '@infra/shared/steps/host/python'
import { editablePackage } from '@infra/shared/steps/host/python-package'
import { unitFile } from '@infra/shared/steps/host/unit-file'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import { postgresDatabase, postgresExtension, postgresRole } from '@infra/shared/steps/postgres/postgres'
import { postgresSchema } from '@infra/shared/steps/postgres/schema'
import type { Kind } from './kind.ts'

const source = '/opt/contract/package'
const venv = '/opt/contract/package-venv'
const pip = (words: string) => `cd / && runuser -u valence -- ${venv}/bin/pip -q --disable-pip-version-check ${words}`

const project = `[project]
name = "contract"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["IniConfig >= 2", "six"]
scripts = { contract = "contract:main" }
optional-dependencies = { dev = ["pytest>=7"] }
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.build.targets.wheel]
packages = ["src/contract"]`

const entries = {
  one: { command: '/bin/true', args: ['a b'], env: {} },
  two: { command: '/bin/false', args: [], env: {} },
}
const json = '/home/valence/.contract.json'
const unit = 'contract-vkb.service'
const unitPath = `/etc/systemd/system/${unit}`
const unitText = '[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n'

const schema = '/opt/contract/schema'
const sql = (statement: string) =>
  `cd / && runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d valence -c ${JSON.stringify(statement)}`
const again = /^schema contract of database valence/

const schemaSteps = (on: Target) => {
  const main = postgresCluster(on, 17)
  const role = postgresRole(on, 'valence', { password: secret('a contract is a contract'), dependsOn: [main] })
  const desired = { owner: 'valence', encoding: 'UTF8', collate: 'C' }
  const database = postgresDatabase(on, 'valence', { ...desired, dependsOn: [role] })
  const vector = postgresExtension(on, 'valence', 'vector', { dependsOn: [database] })
  const place = { database: 'valence', owner: 'valence', folder: schema, files: ['schema.sql', 'procedures.sql'] }
  return [
    main,
    role,
    database,
    vector,
    postgresSchema(on, 'contract', { ...place, comesFrom: '', dependsOn: [vector] }),
  ]
}

/** Kinds that came with the knowledge base: a venv, a package, a unit, entries of a JSON file, a schema. */
export const vkbKinds: readonly Kind[] = [
  {
    kind: 'venv',
    covers: ['venv'],
    steps: (on) => [venvStep(on, '/opt/contract/venv', { user: 'valence' })],
    damages: [
      { name: 'removed', sh: 'rm -rf /opt/contract/venv', says: /^venv \/opt\/contract\/venv$/ },
      { name: 'its python gone', sh: 'rm /opt/contract/venv/bin/python', says: /broken: made anew$/ },
      {
        name: "made for a Python that is gone, as after an upgrade of the system's",
        sh: 'cd /opt/contract/venv/lib && mv python3.* python3.1',
        says: /broken: made anew$/,
      },
      {
        name: 'its pip half installed, as a kill leaves it',
        sh: 'cd /opt/contract/venv/lib/python3*/site-packages && rm -r pip/_internal pip-*.dist-info/RECORD',
        says: /broken: made anew$/,
      },
      {
        name: 'its pip half installed, as a full disk leaves it: with the RECORD of the wheel',
        sh: 'cd /opt/contract/venv/lib/python3*/site-packages && rm -r pip/_vendor/rich pip-*.dist-info/INSTALLER',
        says: /broken: made anew$/,
      },
      { name: 'owned by root', sh: 'chown -R root: /opt/contract/venv', says: /root → valence$/ },
      {
        name: "a part of it root's, as pip leaves it that root runs",
        sh: 'chown -R root: /opt/contract/venv/lib/python3*/site-packages/pip',
        says: /^all in \/opt\/contract\/venv is of valence, lib\/python3\S+\/site-packages\/pip\S* is not$/,
        healed: '[ -z "$(find /opt/contract/venv ! -user valence)" ]',
      },
    ],
  },
  {
    kind: 'editable Python package',
    covers: ['editablePackage'],
    prepare: `install -d -o valence -g valence ${source} ${venv} && runuser -u valence -- sh -e <<'END'
cd /; python3 -m venv ${venv}; mkdir -p ${source}/src/contract
echo 'def main(): pass' >${source}/src/contract/__init__.py
cat >${source}/pyproject.toml <<'TOML'
${project}
TOML
END`,
    steps: (on) => [
      editablePackage(on, 'contract', {
        ...{ venv, source, user: 'valence', constraints: ['six<1.17', 'absent<1'] },
        comesFrom: 'the contract',
      }),
    ],
    damages: [
      { name: 'removed', sh: pip('uninstall -y contract'), says: /^python package contract$/ },
      { name: 'a requirement removed', sh: pip('uninstall -y iniconfig'), says: /lacks iniconfig>=2$/ },
      { name: 'a newer one than is good for it', sh: pip('install six==1.17.0'), says: /lacks six<1.17$/ },
      {
        name: 'a requirement half installed, as a full disk leaves it: with an empty METADATA, and the RECORD of the wheel',
        sh: `cd ${venv}/lib/python3*/site-packages && rm -r iniconfig/_parse.py iniconfig-*.dist-info/INSTALLER && : >$(echo iniconfig-*.dist-info/METADATA)`,
        says: /half installed: iniconfig==\d[\d.]*$/,
      },
      {
        name: 'not compiled, as a run leaves it that was killed before it had done that',
        sh: `rm -r ${venv}/lib/python3*/site-packages/iniconfig/__pycache__`,
        says: /^byte code of iniconfig$/,
      },
      { name: 'installed as a copy', sh: pip(`install --no-deps ${source}`), says: /installed from an archive →/ },
      {
        name: 'another version in the source',
        sh: `sed -i 's/"1.0"/"1.1"/' ${source}/pyproject.toml`,
        says: /contract: 1.0 → 1.1$/,
      },
      {
        name: 'a source that is not a project',
        sh: `mv ${source}/pyproject.toml ${source}/kept; echo '[tool]' >${source}/pyproject.toml`,
        stops: /describes no project/,
        mend: `mv ${source}/kept ${source}/pyproject.toml`,
      },
    ],
  },
  {
    kind: 'unit that is started by hand',
    covers: ['unitFile'],
    steps: (on) => [unitFile(on, unit, { content: unitText, boot: false })],
    damages: [
      { name: 'removed', sh: `rm ${unitPath}; systemctl daemon-reload`, says: /contract-vkb.service$/ },
      {
        name: 'written, but not read by systemd',
        sh: `systemctl start ${unit}; systemctl stop ${unit}; systemctl enable -q ${unit}; systemctl start ${unit}
systemctl disable -q ${unit}; touch ${unitPath}; systemctl show ${unit} -p NeedDaemonReload | grep -qx NeedDaemonReload=yes`,
        says: /^systemd reads contract-vkb.service again, contract-vkb.service stopped$/,
      },
      {
        name: 'enabled and started',
        sh: `systemctl enable -q --now ${unit}`,
        says: /^contract-vkb.service not at boot, contract-vkb.service stopped$/,
      },
      {
        name: 'masked',
        sh: `mv ${unitPath} ${unitPath}.kept; systemctl mask ${unit}`,
        stops: /is masked/,
      },
    ],
  },
  {
    kind: 'entries of a JSON file',
    covers: ['jsonFileEntries'],
    prepare: `runuser -u valence -- sh -c 'umask 077; echo "{\\"theirs\\": {\\"token\\": 1.50}, \\"servers\\": {\\"other\\": {}}}" >${json}'`,
    steps: (on) => [jsonFileEntries(on, '~/.contract.json', { user: 'valence', group: 'servers', entries })],
    damages: [
      { name: 'the file removed', sh: `rm ${json}`, says: /~\/.contract.json: one, two$/ },
      { name: 'one entry edited', sh: `sed -i 's/a b/a c/' ${json}`, says: /~\/.contract.json: one$/ },
      {
        name: 'one entry with a secret among its variables and its words',
        sh: `sed -i 's/"a b"/"--key", "sk-old-secret"/; 0,/"env": {}/s//"env": {"KEY": "sk-old-secret"}/' ${json}; grep -c sk-old ${json} | grep -x 2`,
        says: /~\/.contract.json: one$/,
        hides: 'sk-old',
        healed: `! grep sk-old ${json}`,
      },
      {
        name: 'no JSON',
        sh: `cp -p ${json} ${json}.kept; echo '{' >${json}`,
        stops: /is not a JSON object/,
        mend: `mv ${json}.kept ${json}`,
      },
      {
        name: 'another thing in the place of the entries',
        sh: `cp -p ${json} ${json}.kept; echo '{"servers": []}' >${json}`,
        stops: /is not a JSON object/,
        mend: `mv ${json}.kept ${json}`,
      },
    ],
  },
  {
    kind: 'schema',
    covers: ['postgresSchema'],
    prepare: `systemctl start postgresql@17-main && install -d -o valence -g valence ${schema} && runuser -u valence -- sh -e <<'END'
cat >${schema}/schema.sql <<'SQL'
CREATE TABLE IF NOT EXISTS one (id int PRIMARY KEY, two_id int);
CREATE TABLE IF NOT EXISTS two (id int PRIMARY KEY, near vector(2));
ALTER TABLE one
    ADD CONSTRAINT fk_two FOREIGN KEY (two_id) REFERENCES two (id);
CREATE INDEX IF NOT EXISTS one_by_two ON one (two_id);
SQL
cat >${schema}/procedures.sql <<'SQL'
CREATE OR REPLACE FUNCTION twice(n int) RETURNS int AS $$ SELECT n * 2; $$ LANGUAGE sql;
SQL
END`,
    steps: schemaSteps,
    damages: [
      {
        name: 'a table lost, with data in the other',
        sh: sql('INSERT INTO one VALUES (1); DROP TABLE two CASCADE'),
        says: /: relation public.two, constraint fk_two missing$/,
      },
      {
        name: 'an index, a function and a constraint lost',
        sh: sql('DROP INDEX one_by_two; DROP FUNCTION twice; ALTER TABLE one DROP CONSTRAINT fk_two'),
        says: /: constraint fk_two, relation public.one_by_two, function public.twice missing$/,
      },
      { name: 'the record of it lost', sh: sql('DROP TABLE infra.applied'), says: again },
      {
        name: 'owned by another, as after a restore',
        sh: sql('ALTER TABLE one OWNER TO postgres; ALTER FUNCTION twice OWNER TO postgres'),
        says: /^relation public.one, function public.twice of schema contract of database valence → valence$/,
      },
      {
        name: 'a file changed',
        sh: `echo 'CREATE TABLE IF NOT EXISTS three (id int);' >>${schema}/schema.sql`,
        says: /^schema contract of database valence \w{7} → \w{7}$/,
      },
      {
        name: 'a file that ends the transaction',
        sh: `cp -p ${schema}/schema.sql ${schema}/kept; echo 'COMMIT;' >>${schema}/schema.sql`,
        stops: /begin or end a transaction \(COMMIT\)/,
        mend: `mv ${schema}/kept ${schema}/schema.sql`,
      },
      {
        name: 'the database lost',
        sh: `cd / && runuser -u postgres -- psql -qX -c 'DROP DATABASE valence WITH (FORCE)'`,
        step: 'postgres.database valence, postgres.extension valence/vector, postgres.schema valence/contract',
        says: /^database valence, extension vector, schema contract of database valence$/,
      },
    ],
  },
]
