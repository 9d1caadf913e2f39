import { reveal, secret } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace } from '@infra/shared/platform/names'
import { describe, expect, it } from 'vitest'
import { failureOf } from './aws-lab.ts'
import { assertAgree } from './kube-reads.ts'
import { planned, settle } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { backupTests } from './stoat/backup-tests.ts'
import { cloudTests } from './stoat/gateway-tests.ts'
import { originalLineTests, portForwardTests } from './stoat/operator-tests.ts'
import { useStoat } from './stoat-world.ts'
import { findings } from './verify-runs.ts'

const skip = requireLab('kube', 'stoat', 'acme', 'age')

const programs = ['crond', 'pushd', 'api', 'events', 'autumn', 'january', 'gifbox', 'web']

describe.skipIf(skip)(title('Stoat on a real cluster', skip), () => {
  const lab = useStoat()
  const { inSpace } = lab
  const heldKeys = async () => {
    const { held } = await askOf(lab.context().kube, { held: secretValues(namespace, 'stoat-secrets') })
    return Object.fromEntries([...(held ?? [])].map(([name, value]) => [name, reveal(value)]))
  }

  it('is refused without the Redis of the cluster, before anything is made', async () => {
    const failure = await failureOf(planned(lab.work()))
    expect([failure.message, failure.remedy]).toEqual([
      expect.stringContaining('there is no Redis in the cluster yet'),
      expect.stringContaining('npm run deploy -w cluster'),
    ])
    expect(await lab.kubectl('get namespaces -o name')).not.toContain(namespace)
  })

  it('comes up from nothing, every pod ready in the declared order', async () => {
    await lab.withRedis()
    let lines: string[] = []
    expect(
      await lab.writesOf(async () => {
        lines = await planned(lab.work())
      }),
    ).toBe(0)
    expect(lines).toContain('create secret stoat-secrets')
    await settle(lab.work())
    const ready = Object.fromEntries(
      await Promise.all(
        ['mongodb', 'rabbitmq', 'minio', ...programs, 'caddy'].map(async (name) => [
          name,
          await lab.readyAt(`stoat-${name}`),
        ]),
      ),
    ) as Record<string, number>
    const started = Object.fromEntries(
      await Promise.all(programs.map(async (name) => [name, await lab.startedAt(`stoat-${name}`)])),
    ) as Record<string, number>
    const waves = [
      ['mongodb', 'rabbitmq', 'minio'],
      ['crond', 'pushd'],
      ['api'],
      ['events', 'autumn', 'january', 'gifbox', 'web'],
    ]
    for (const [index, wave] of waves.entries()) {
      const next = waves[index + 1] ?? []
      const last = Math.max(...wave.map((name) => ready[name] ?? Number.NaN))
      for (const name of next) expect(started[name], `${name} after ${wave.join(', ')}`).toBeGreaterThanOrEqual(last)
    }
    expect(await inSpace('logs job/stoat-minio-create-buckets')).toContain('bucket revolt-uploads is there')
  })

  it('has nothing to do a second time, and writes nothing', async () => {
    expect(await planned(lab.work())).toEqual([])
    expect(await lab.writesOf(() => settle(lab.work()))).toBe(0)
  })

  it('finds by one process what a kubectl for each question finds', async () => {
    const asked = lab.work().flatMap(({ steps }) => steps.flatMap(({ ask }) => Object.values(ask)))
    const commands = asked.map(({ command }) => command)
    expect((await assertAgree(lab.kube, lab.context().kube, commands)).length).toBeGreaterThan(10)
  })

  it('verifies, from inside and from outside', async () => {
    const found = await lab.verify()
    expect(found.filter((line) => !line.startsWith('ok '))).toEqual([
      'warn gateway.canary: none is stored yet',
      'warn backup.last: none was taken yet',
    ])
    expect(found).toContainEqual(expect.stringMatching(/^ok gateway\.api: version \S+, by port-forward/))
    expect(found).toContainEqual(expect.stringMatching(/^ok gateway\.websocket: InvalidSession/))
    expect(found).toContainEqual(expect.stringMatching(/^ok services\.exchanges/))
  })

  it('serves a user, and takes the account away again', async () => {
    const ran = await lab.smoke().ended
    expect(ran.code, ran.stderr + ran.stdout).toBe(0)
    const ids = ['account', 'events', 'file', 'acknowledgements', 'clean-up'].map((id) => `smoke.${id}`)
    expect(findings(ran).map(({ id, outcome }) => [id, outcome])).toEqual(
      [...ids, 'gateway.canary'].map((id) => [id, 'ok']),
    )
    expect(await lab.leftBySmoke()).toEqual({ accounts: 0, servers: 0 })
  })

  it('answers its operators', async () => {
    expect((await lab.cli('output', 'api_url')).stdout.trim()).toBe('http://localhost:8080/api')
    const shown = await lab.cli('show-keys')
    expect(shown.stdout).toMatch(/^export STOAT_ENCRYPTION_KEY='[A-Za-z0-9+/]{43}='$/m)
    expect((await lab.cli('invite', 'for-ana')).stdout.trim()).toBe('for-ana')
    expect(await lab.inDatabase('db.invites.countDocuments({ _id: "for-ana" })')).toBe('1')
    expect((await lab.cli('logs', 'api')).stdout).toContain('listening on')
    expect(await lab.cli('restart', 'web', '--yes')).toMatchObject({ code: 0 })
    expect((await lab.cli('make-admin', 'nobody', '--yes')).stderr).toContain('there is no user nobody')
    const status = JSON.parse((await lab.cli('status', '--json')).stdout)
    expect(status.workloads.map(({ ready }: { ready: string }) => ready)).toEqual(Array(12).fill('1/1'))
  })

  it('keeps the keys that it made, whatever runs later', async () => {
    const before = await heldKeys()
    expect(Buffer.from(before.encryption_key ?? '', 'base64')).toHaveLength(32)
    await settle(lab.work({ STOAT_INVITE_ONLY: true }))
    expect(await heldKeys()).toEqual(before)
    const other = secret(Buffer.from('an encryption key of another one').toString('base64'))
    const failure = await failureOf(planned(lab.work({ STOAT_ENCRYPTION_KEY: other })))
    expect(failure.message).toContain('STOAT_ENCRYPTION_KEY is another key')
    expect(await planned(lab.work({ STOAT_INVITE_ONLY: true }))).toEqual([])
  })

  it('carries other passwords into the running broker and store', async () => {
    const more = {
      STOAT_INVITE_ONLY: true,
      STOAT_RABBITMQ_PASS: secret('another-broker-Pass-8131'),
      STOAT_MINIO_PASS: secret('another-store-Pass-9242'),
    }
    await settle(lab.work(more))
    const tried = await lab.kubectl(
      `exec -n ${namespace} -i stoat-rabbitmq-0 -- rabbitmqctl -q authenticate_user rabbituser another-broker-Pass-8131`,
    )
    expect(tried).toContain('Success')
    expect((await lab.verify(more)).filter((line) => !line.startsWith('ok '))).toEqual([
      'warn backup.last: none was taken yet',
    ])
    expect(await planned(lab.work(more))).toEqual([])
  })

  it('starts api, crond and pushd anew when the broker did, decided by what runs', async () => {
    const more = {
      STOAT_INVITE_ONLY: true,
      STOAT_RABBITMQ_PASS: secret('another-broker-Pass-8131'),
      STOAT_MINIO_PASS: secret('another-store-Pass-9242'),
    }
    await inSpace('delete pod stoat-rabbitmq-0')
    await inSpace('rollout status statefulset/stoat-rabbitmq --timeout=600s')
    expect(await lab.verify(more, 'services.broker')).toEqual([
      expect.stringMatching(/^fail services\.broker-connection: older/),
    ])
    expect(await planned(lab.work(more))).toEqual(
      ['crond', 'pushd', 'api'].map((name) => expect.stringContaining(`restart deployment stoat-${name}`)),
    )
    await settle(lab.work(more))
    expect(await planned(lab.work(more))).toEqual([])
    expect(await lab.verify(more, 'services.broker')).toEqual([expect.stringMatching(/^ok/)])
  })

  it('makes the bucket again when its Job is gone', async () => {
    await inSpace('delete job stoat-minio-create-buckets')
    const work = () => lab.work({}, 'buckets')
    expect(await planned(work())).toEqual(['create job stoat-minio-create-buckets (bucket revolt-uploads)'])
    await settle(work())
    expect(await planned(work())).toEqual([])
  })

  it('takes the account away again when the round is told to end, and the next one when it was killed', async () => {
    const invited = { STOAT_INVITE_ONLY: 'true' }
    // The file store answers nothing, so that the round stays in its upload.
    const storeProcess = (signal: string) =>
      inSpace(`exec stoat-minio-0 -- sh -c`, `kill -${signal} $(pidof versitygw)`)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await storeProcess('STOP')
      const run = lab.smoke(invited)
      try {
        await until('the account', 60_000, async () => (await lab.leftBySmoke()).servers === 1 || undefined)
        run.kill(signal)
      } finally {
        await storeProcess('CONT')
      }
      const { code, stdout } = await run.ended
      const held = signal === 'SIGTERM'
      expect(code, stdout).toBe(held ? 143 : 128)
      expect(await lab.leftBySmoke()).toEqual(held ? { accounts: 0, servers: 0 } : { accounts: 1, servers: 1 })
    }
    // A stranger's, which looks like one of a round: nobody here knows its password.
    const stranger = '{ _id: "S", email: "smoke-0123456789abcdef@example.org", password: "x", disabled: false }'
    await lab.inDatabase(`db.accounts.insertOne(${stranger})`)
    const next = await lab.smoke(invited).ended
    expect(findings(next).find(({ id }) => id === 'smoke.clean-up')).toMatchObject({
      outcome: 'ok',
      detail: '1 disabled and 2 of earlier rounds',
    })
    expect(await lab.leftBySmoke()).toEqual({ accounts: 0, servers: 0 })
  })

  it('finds by its canary file that the bucket is another one', async () => {
    const canary = () => lab.verify({}, 'gateway.canary')
    expect(await canary()).toEqual(['ok gateway.canary: 1000 bytes'])
    const inStore = (script: string) => inSpace('exec stoat-minio-0 -- sh -c', script)
    await inStore('mv /data/revolt-uploads /data/.lost && mkdir /data/revolt-uploads')
    expect(await canary()).toEqual([
      expect.stringMatching(/^fail gateway\.canary: answers 500: the bucket has lost it/),
    ])
    await inStore('rmdir /data/revolt-uploads && mv /data/.lost /data/revolt-uploads')
    expect(await canary()).toEqual(['ok gateway.canary: 1000 bytes'])
  })

  describe('its operators', () => {
    portForwardTests(lab)
    originalLineTests(lab)
  })

  describe('its backups', () => backupTests(lab))

  cloudTests(lab)
})
