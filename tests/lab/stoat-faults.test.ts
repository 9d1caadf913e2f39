import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sayObject } from '@infra/shared/command/kubectl'
import { reveal, secret } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { makePlan } from '@infra/shared/engine/plan'
import { loadEnv } from '@infra/shared/env/load'
import { newVapidPrivate } from '@infra/shared/env/vapid'
import { variablesOf } from '@infra/shared/env/variable'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace } from '@infra/shared/platform/names'
import { beforeAll, describe, expect, it } from 'vitest'
import { type StoatEnv, stoatSchema } from '../../stoat/env/env.ts'
import { startCli } from '../support/cli.ts'
import { failureOf } from './aws-lab.ts'
import { killEachChange } from './kills.ts'
import { notesOf, planned, settle } from './kube-steps.ts'
import { leaks, leaksBelow, marksOf, watchProcesses } from './pod-leaks.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, until } from './run.ts'
import { declaredObjects, driftOf, held } from './stoat/drift.ts'
import { firstUpgradeTest, nextUpgradeTests } from './stoat/upgrade-tests.ts'
import { useStoat } from './stoat-world.ts'

const skip = requireLab('kube', 'stoat')

/** Every secret that is not a key which the first deploy makes, nor of another world (DigitalOcean, an S3 elsewhere). */
const given = {
  STOAT_REDIS_URL: 'redis://default:q7ZrLm3Vw9xTk2Hn@redis:6379/',
  STOAT_GIF_KEY: 'Gx4Tq8Zr2Lm6Vw9Tk3Hn',
  STOAT_SMTP_PASSWORD: 'Sx4Tq8Zr2Lm6Vw9Tk5Jp',
  STOAT_HCAPTCHA_KEY: 'Cx4Tq8Zr2Lm6Vw9Tk7Md',
}
const settings = {
  ...given,
  STOAT_SMTP_HOST: 'mail.example.org',
  STOAT_SMTP_USERNAME: 'stoat',
  STOAT_SMTP_FROM: 'stoat@example.org',
  STOAT_HCAPTCHA_SITEKEY: '10000000-ffff-ffff-ffff-000000000001',
}
const generated = ['encryption_key', 'vapid_private_key', 'rabbitmq_password', 'minio_password']

describe.skipIf(skip)(title('Stoat with everything going wrong', skip), () => {
  const lab = useStoat()
  const { inSpace, kubectl } = lab
  const said: string[] = []
  let more: Partial<StoatEnv> = {}
  const work = (other: Partial<StoatEnv> = {}) => lab.work({ ...more, ...other })
  const verify = async (...starts: string[]) =>
    (await lab.verify(more, ...starts)).filter((line) => !line.startsWith('ok '))

  beforeAll(async () => {
    await lab.withRedis()
    const lines = Object.entries({
      ...settings,
      ...{ KUBECONFIG: lab.kube.kubeconfig, KUBE_CONTEXT: 'lab', STOAT_DOMAIN: 'stoat.example.com', STOAT_TLS: 'none' },
      ...{ STOAT_GATEWAY: 'cluster-ip', STOAT_IMAGES: 'revolt', ROLLOUT_TIMEOUT: '240' },
    }).map(([name, value]) => `export ${name}="${value}"\n`)
    await writeFile(join(lab.folder, '.env.stoat'), lines.join(''), { mode: 0o600 })
    const { env } = loadEnv({ schema: stoatSchema, root: lab.folder, processEnv: {} })
    if (!env) throw new Error('the environment is not valid')
    more = env
  })

  const converges = async () => {
    expect(await planned(work())).toEqual([])
    expect(await lab.writesOf(() => settle(work()))).toBe(0)
    expect(await verify()).toEqual(['warn gateway.canary: none is stored yet', 'warn backup.last: none was taken yet'])
  }
  const apply = (manager: string, objects: readonly object[]) =>
    kubectl(
      // They are parts of objects, as other programs apply them.
      `apply --server-side --force-conflicts --validate=false --field-manager=${manager} -f -`,
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    )
  const patchSecret = (values: Readonly<Record<string, string>>) => {
    const data = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, btoa(value)]))
    return inSpace(`patch secret stoat-secrets --type=merge -p ${JSON.stringify({ data })}`)
  }
  const heldKeys = async () => {
    const { held } = await askOf(lab.context().kube, { held: secretValues(namespace, 'stoat-secrets') })
    return Object.fromEntries([...(held ?? [])].map(([name, value]) => [name, reveal(value)]))
  }
  const marks = async () => {
    const all = await heldKeys()
    return marksOf({ ...given, ...Object.fromEntries(generated.map((name) => [name, all[name] ?? ''])) })
  }

  it('comes up by deployments that are killed at each change, and no process is told a secret', async () => {
    const words = ['deploy', '--yes', '--json', '-v', '--skip-verification']
    const watch = watchProcesses({ pods: true })
    const runs = await killEachChange(90, () => {
      const run = startCli('stoat', words, { root: lab.folder, env: { PATH: process.env.PATH } })
      void run.ended.then(({ stdout, stderr }) => said.push(stdout, stderr))
      return run
    })
    const seen = watch.stop()
    expect(runs.length, runs.join('\n')).toBeGreaterThan(7)
    const found = await marks()
    expect(seen.some((line) => line.includes('kubectl') && line.includes('apply'))).toBe(true)
    expect(seen.filter((line) => leaks(line, found).length > 0)).toEqual([])
    await converges()
  })

  const upgrading = {
    lab,
    more: () => more,
    become(STOAT_IMAGES: StoatEnv['STOAT_IMAGES']) {
      more = { ...more, STOAT_IMAGES }
    },
    converges,
  }
  firstUpgradeTest(upgrading)

  it('tells every object that somebody changed, and only those, and sets them right', async () => {
    const objects = declaredObjects(work())
    const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    expect(objects.length).toBeGreaterThan(35)
    await apply(
      'hold',
      objects.flatMap((object) => held(object, true)),
    )
    // One half first: what is told of is what was changed.
    const halves = [objects.filter((_, index) => index % 2 === 0), objects.filter((_, index) => index % 2 === 1)]
    for (const half of halves) {
      await apply(
        'drift',
        half.map((object) => driftOf(object).object),
      )
      const lines = (await planned(work())).filter((line) => !/rolled out/.test(line))
      expect(lines).toHaveLength(half.length)
      for (const object of half) {
        const { kind, metadata } = object
        const told = lines.find((line) => line.startsWith(`update ${sayObject({ kind, name: metadata.name })}`)) ?? ''
        expect(told, metadata.name).toMatch(/took over from drift: /)
        for (const field of driftOf(object).told) expect(told, metadata.name).toContain(field)
      }
      const manifests = work().map(({ script, steps }) => ({
        script,
        steps: steps.filter(({ id }) => id.startsWith('manifests')),
      }))
      expect((await settle(manifests)).made).toBe(half.length)
    }
    await apply(
      'hold',
      workloads.flatMap((object) => held(object, false)),
    )
    for (const { kind, metadata } of workloads)
      await inSpace(`rollout status ${kind.toLowerCase()}/${metadata.name} --timeout=60s`)
    await converges()
  })

  it('makes again what somebody took away', async () => {
    const kinds = ['ConfigMap', 'NetworkPolicy', 'Service']
    const gone = declaredObjects(work()).filter(({ kind }) => kinds.includes(kind))
    await inSpace(
      `delete job/stoat-minio-create-buckets ${gone.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(' ')}`,
    )
    const lines = (await planned(work())).filter((line) => line.startsWith('create '))
    expect(lines.sort()).toEqual(
      [
        ...gone.map(({ kind, metadata }) => `create ${sayObject({ kind, name: metadata.name })}`),
        'create job stoat-minio-create-buckets (bucket revolt-uploads)',
      ].sort(),
    )
    await settle(work())
    await converges()
  })

  it('refuses other keys before any change, and has the environment set a damaged Secret right', async () => {
    const keys = await heldKeys()
    const refusal = async (other: Partial<StoatEnv> = {}) => {
      let message = ''
      const writes = await lab.writesOf(async () => {
        message = (await failureOf(settle(work(other)))).message
      })
      expect(writes).toBe(0)
      return message
    }
    const another = secret(Buffer.from('an encryption key of another one').toString('base64'))
    expect(await refusal({ STOAT_ENCRYPTION_KEY: another })).toContain('STOAT_ENCRYPTION_KEY is another key')
    const plan = await makePlan(work({ STOAT_VAPID_PRIVATE_KEY: secret(newVapidPrivate()) }), () => {})
    expect(notesOf(plan)).toContainEqual(expect.stringContaining('every browser has to allow push notifications anew'))
    await patchSecret({ vapid_private_key: 'damaged' })
    expect(await refusal()).toContain('vapid_private_key in the Secret stoat-secrets is not a VAPID key')
    await patchSecret({ encryption_key: reveal(another) })
    expect(await refusal()).toContain('holds two encryption keys')
    const [encryption, vapid] = [keys.encryption_key ?? '', keys.vapid_private_key ?? '']
    await settle(work({ STOAT_ENCRYPTION_KEY: secret(encryption), STOAT_VAPID_PRIVATE_KEY: secret(vapid) }))
    expect(await heldKeys()).toEqual(keys)
    expect(await planned(work())).toEqual([])
  })

  /** New volumes for all stores. */
  async function loseVolumes(): Promise<void> {
    const names = ['mongodb', 'rabbitmq', 'minio'].map((name) => `stoat-${name}`)
    await inSpace(`delete --wait=false ${names.map((name) => `pvc/data-${name}-0`).join(' ')}`)
    await inSpace(`delete ${names.map((name) => `pod/${name}-0`).join(' ')}`)
    for (const name of names) await inSpace(`rollout status statefulset/${name} --timeout=240s`)
  }

  it('says which store was lost and what with it, and heals the rest', async () => {
    const inBroker = `exec -n ${namespace} stoat-rabbitmq-0 -- rabbitmqctl -q`
    await kubectl(`${inBroker} change_password rabbituser somebody-changed-it-1`)
    expect(await verify('datastores.rabbitmq-user')).toEqual([expect.stringContaining('it has another')])
    await loseVolumes()
    const found = await verify()
    for (const id of ['services.broker-connection', 'services.exchanges', 'services.database', 'buckets.job'])
      expect(found).toContainEqual(expect.stringMatching(new RegExp(`^fail ${id}:`)))
    const lines = await planned(work())
    expect(lines).toContainEqual(expect.stringMatching(/^update job .* again: its volume is a new one, .* lost/))
    expect(lines).toContainEqual(expect.stringMatching(/restart deployment stoat-api: MongoDB's volume .* lost/))
    // Somebody registers meanwhile: the api works over an empty database, and would not start with what that leaves.
    await lab.inDatabase('db.accounts.insertOne({ _id: "somebody" })')
    const failure = await failureOf(settle(work()))
    expect(failure.message).toContain('the database revolt was not made by the api')
    const remedy = failure.remedy ?? ''
    await must('sh', ['-c', remedy.slice(remedy.indexOf('kubectl '))], { env: lab.kube.env })
    await settle(work())
    await converges()
    expect(await lab.inDatabase('db.migrations.countDocuments({})')).toBe('1')
  })

  it('goes back from an image that does not start, and serves all the while', async () => {
    const pods = () => inSpace('get pods -l app=stoat-autumn -o jsonpath={.items[*].metadata.uid}')
    const before = await pods()
    const image = 'ghcr.io/stoatchat/nothing:v9'
    const failure = await failureOf(settle(work({ STOAT_AUTUMN_IMAGE: image, ROLLOUT_TIMEOUT: 10 })))
    expect(failure.message).toMatch(/stoat-autumn: not ready; stoat-autumn: went back to revision \d/)
    expect(failure.detail.join('\n')).toMatch(new RegExp(`stoat-autumn-\\S+ +0/1[^]*Failed to pull image "${image}"`))
    expect((await pods()).split(' ')).toContain(before)
    await converges()
  })

  it('tells which store has no room left, and that it has again', async () => {
    const place = `/var/lib/lab-volumes/${await inSpace('get pvc/data-stoat-minio-0 -o jsonpath={.spec.volumeName}')}`
    const onNode = (script: string) => lab.kube.run('sh', ['-ec', script, place])
    const scale = (replicas: number) => inSpace(`scale statefulset/stoat-minio --replicas=${replicas}`)
    // Without its pod: what kubelet unmounts with one would go from the folder as well.
    await scale(0)
    await inSpace('wait pod/stoat-minio-0 --for=delete --timeout=600s')
    const small = await onNode(
      'cp -a "$0" /tmp/volume; mount -t tmpfs -o size=200m tmpfs "$0"; cp -a /tmp/volume/. "$0"; rm -r /tmp/volume',
    )
    expect(small.stderr).toBe('')
    await scale(1)
    await inSpace('rollout status statefulset/stoat-minio --timeout=600s')
    const { stderr } = await onNode('dd if=/dev/zero of="$0/fill" bs=1M count=300')
    expect(stderr).toContain('No space left on device')
    const room = async () => (await verify('datastores.room')).filter((line) => line.startsWith('fail')).join()
    await until('the volume to be told full', 120_000, async () => (await room()) !== '' || undefined)
    expect(await room()).toMatch(/full: stoat-minio: 0Mi of 200Mi left on volume data-stoat-minio-0$/)
    await onNode('rm "$0/fill"')
    await until('room to be told', 120_000, async () => (await room()) === '' || undefined)
    await converges()
  })

  it('tells no secret in what it prints, keeps or applies', async () => {
    const secrets = variablesOf(stoatSchema).flatMap(({ name, meta }) => (meta.secret ? [name] : []))
    const made = ['ENCRYPTION_KEY', 'VAPID_PRIVATE_KEY', 'RABBITMQ_PASS', 'MINIO_PASS']
    const elsewhere = ['DIGITALOCEAN_TOKEN', 'STOAT_S3_ACCESS_KEY_ID', 'STOAT_S3_SECRET_ACCESS_KEY']
    expect(secrets.sort()).toEqual([...Object.keys(given), ...made.map((name) => `STOAT_${name}`), ...elsewhere].sort())
    for (const words of [['plan', '-v'], ['verify', '-v'], ['status']]) {
      const { stdout, stderr } = await lab.cli(...words)
      said.push(stdout, stderr)
    }
    const found = await marks()
    expect(leaks(said.join('\n'), found)).toEqual([])
    const left = await leaksBelow(lab.folder, found)
    expect(left.filter((line) => !line.startsWith(join(lab.folder, '.env.stoat')))).toEqual([])
    const kinds = (await kubectl('api-resources --namespaced --verbs=list -o name')).split('\n')
    const readable = kinds.filter((kind) => kind !== 'secrets').join(',')
    const objects = await inSpace(`get ${readable} -o json --show-managed-fields`)
    expect(objects).toContain('"infra/secrets"')
    expect(leaks(objects, found)).toEqual([])
    const about = await inSpace('get secrets -o jsonpath={.items[*].metadata} --show-managed-fields')
    expect(leaks(about, found)).toEqual([])
  })

  nextUpgradeTests(upgrading)
})
