import { authoritiesFile } from '@infra/shared/env/ca-file'
import { describe, expect, test } from 'vitest'
import { askPod, type Place } from '../../pod/checks/https.ts'
import { judgeClient, judgeServer, judgeVersions } from '../../pod/checks/matrix.ts'
import { coreColumns } from '../../pod/valence/vkb.ts'
import { environment } from './environment.ts'
import { databaseSkip, psql, rolledBack, schemaScript, schemaSkip } from './local-database.ts'

const { VALENCE_POD_IP, VALENCE_DOMAIN = '', VALENCE_CA_FILE, SKIP_SLOW } = environment

const remoteSkip = SKIP_SLOW
  ? 'SKIP_SLOW is set'
  : VALENCE_POD_IP && VALENCE_DOMAIN
    ? undefined
    : 'VALENCE_POD_IP and VALENCE_DOMAIN are not set, neither in .env.pod nor here'

const name = (about: string, skip: string | undefined) => (skip ? `${about} [skipped: ${skip}]` : about)

describe.skipIf(databaseSkip)(name('the database', databaseSkip), () => {
  test('answers', () => {
    expect(psql('SELECT 1;')).toEqual(['1'])
  })

  test('is UTF-8, collated by bytes', () => {
    const settings =
      'SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database();'
    expect(psql(settings)).toEqual(['UTF8|C|C'])
  })

  test.each(['vector', 'uuid-ossp'])('has the extension %s', (extension) => {
    expect(psql(`SELECT extname FROM pg_extension WHERE extname = '${extension}';`)).toEqual([extension])
  })

  test('measures how near vectors are', () => {
    expect(psql(`SELECT '[1,0]'::vector <=> '[0,1]'::vector;`)).toEqual(['1'])
  })
})

describe.skipIf(databaseSkip)(name('the core tables', databaseSkip), () => {
  test.each(Object.entries(coreColumns))('%s has its columns', (table, columns) => {
    const found = psql(`SELECT attname FROM pg_attribute WHERE attrelid = 'public.${table}'::regclass AND attnum > 0;`)
    expect(found).toEqual(expect.arrayContaining([...columns]))
  })

  test('belong to the role that uses them', () => {
    const tables = Object.keys(coreColumns).map((table) => `'public.${table}'::regclass`)
    expect(
      psql(
        `SELECT DISTINCT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid IN (${tables.join(', ')});`,
      ),
    ).toEqual(['t'])
  })
})

describe.skipIf(databaseSkip)(name('what is written, and rolled back', databaseSkip), () => {
  const gone = (table: string, column: string, value: string) =>
    expect(psql(`SELECT count(*) FROM ${table} WHERE ${column} = '${value}';`)).toEqual(['0'])

  test('a belief, with its confidence and its vector', () => {
    const content = `integration ${process.pid} belief`
    const vector = `('[' || array_to_string(array_fill(0.5, ARRAY[1536]), ',') || ']')::vector`
    const said = rolledBack(`INSERT INTO beliefs (content, confidence, domain_path, embedding)
VALUES ('${content}', '{"overall": 0.8}', '{test,integration}', ${vector});
SELECT confidence ->> 'overall', status, vector_dims(embedding) FROM beliefs WHERE content = '${content}';`)
    expect(said).toEqual(['0.8|active|1536'])
    gone('beliefs', 'content', content)
  })

  test('an entity, tied to a belief; with the belief goes the tie', () => {
    const entity = `integration-${process.pid}`
    const said = rolledBack(`INSERT INTO entities (name, type) VALUES ('${entity}', 'tool');
INSERT INTO beliefs (content) VALUES ('${entity}');
INSERT INTO belief_entities (belief_id, entity_id) SELECT b.id, e.id FROM beliefs b, entities e WHERE b.content = '${entity}' AND e.name = '${entity}';
SELECT role FROM belief_entities JOIN entities e ON e.id = entity_id WHERE e.name = '${entity}';
DELETE FROM beliefs WHERE content = '${entity}';
SELECT count(*) FROM belief_entities JOIN entities e ON e.id = entity_id WHERE e.name = '${entity}';`)
    expect(said).toEqual(['subject', '0'])
    gone('entities', 'name', entity)
  })

  test('a session with its exchanges; a source may name it', () => {
    const room = `!integration-${process.pid}`
    const said = rolledBack(`INSERT INTO vkb_sessions (platform, external_room_id) VALUES ('matrix', '${room}');
INSERT INTO vkb_exchanges (session_id, sequence, role, content)
SELECT id, n, CASE n WHEN 1 THEN 'user' ELSE 'assistant' END, 'said' FROM vkb_sessions, generate_series(1, 2) n WHERE external_room_id = '${room}';
INSERT INTO sources (type, session_id) SELECT 'conversation', id FROM vkb_sessions WHERE external_room_id = '${room}';
SELECT s.status, count(x.id), (SELECT count(*) FROM sources WHERE session_id = s.id) FROM vkb_sessions s JOIN vkb_exchanges x ON x.session_id = s.id
WHERE external_room_id = '${room}' GROUP BY s.id, s.status;`)
    expect(said).toEqual(['active|2|1'])
    gone('vkb_sessions', 'external_room_id', room)
  })

  test('an exchange of no session is refused', () => {
    const stray = `INSERT INTO vkb_exchanges (session_id, sequence, role, content) VALUES (gen_random_uuid(), 1, 'user', 'x');`
    expect(() => rolledBack(stray)).toThrow(/violates foreign key constraint/)
  })
})

describe.skipIf(schemaSkip)(name('the schema, applied twice', schemaSkip), () => {
  const objects = `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
(SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace);`

  test('is the same as once, and loses no data', () => {
    const kept = `integration ${process.pid} kept`
    const once = `${schemaScript()}\n${objects}`
    const said = rolledBack(
      `${once}\nINSERT INTO beliefs (content) VALUES ('${kept}');\n${once}\nSELECT count(*) FROM beliefs WHERE content = '${kept}';`,
    )
    expect(said).toEqual([said[0], said[0], '1'])
  })
})

describe.skipIf(remoteSkip)(name('the endpoints of the pod (slow)', remoteSkip), () => {
  const pod = (): Place => ({
    VALENCE_POD_IP,
    VALENCE_DOMAIN,
    VALENCE_CA_FILE: VALENCE_CA_FILE ? authoritiesFile().parse(VALENCE_CA_FILE) : undefined,
  })

  test('other servers are told where to find it', async () => {
    expect(judgeServer(await askPod(pod(), '/.well-known/matrix/server'), VALENCE_DOMAIN)).toMatchObject({
      outcome: 'ok',
    })
  })

  test('clients are told where to find it', async () => {
    expect(judgeClient(await askPod(pod(), '/.well-known/matrix/client'), VALENCE_DOMAIN)).toMatchObject({
      outcome: 'ok',
    })
  })

  test('the client API names its versions', async () => {
    expect(judgeVersions(await askPod(pod(), '/_matrix/client/versions'))).toMatchObject({ outcome: 'ok' })
  })

  test('the federation API answers on port 8448', async () => {
    expect(await askPod(pod(), '/_matrix/federation/v1/version', { port: 8448 })).toMatchObject({
      status: 200,
      json: { server: { name: 'Synapse' } },
    })
  })

  test('the certificate is good for another week', async () => {
    const { until } = await askPod(pod(), '/_matrix/client/versions')
    expect(until - Date.now()).toBeGreaterThan(7 * 24 * 3600 * 1000)
  })
})
