import { reveal } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { makePlan } from '@infra/shared/engine/plan'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace } from '@infra/shared/platform/names'
import { beforeAll, expect, it } from 'vitest'
import { adoptionSteps } from '../../../stoat/adoption/steps.ts'
import { failureOf, told } from '../aws-lab.ts'
import { notesOf, planned, settle } from '../kube-steps.ts'
import { must } from '../run.ts'
import type { StoatLab } from '../stoat-world.ts'
import { claims, makeOriginal, maker, type OriginalKeys } from './original.ts'

/**
 * A Stoat that was taken away, with its volumes, in the hands of the original's Terraform: adopted up to where a deployment
 * goes on.
 */
export function adoptionTests(lab: StoatLab): void {
  const { inSpace } = lab
  const work = () => [{ script: 'original', steps: [...adoptionSteps(lab.context())] }]
  const held = async () => {
    const found = await askOf(lab.context().kube, { held: secretValues(namespace, 'stoat-secrets') })
    return Object.fromEntries([...(found.held ?? [])].map(([name, value]) => [name, reveal(value)]))
  }
  /** Every document of the database, by what the pod of a workload answers. */
  const documents = async (workload: string) => {
    const all = 'db.getCollectionNames().sort().map((n) => [n, db[n].find().toArray()])'
    const words = ['exec', '-n', namespace, workload, '--', 'mongosh', '--quiet', 'revolt', '--eval']
    const { stdout, stderr, code } = await lab.kube.kubectl([...words, `print(JSON.stringify(${all}))`])
    expect(code, stderr).toBe(0)
    return stdout
  }
  /** The names and digests of all files of a volume, but for what the store itself writes at its start. */
  const digests = async (claim: string, folder = '') => {
    const volume = await inSpace(`get pvc/${claim} -o jsonpath={.spec.volumeName}`)
    const script = 'cd "$0" && find . -type f -not -path "./.minio.sys/*" -exec sha256sum {} + | sort -k2'
    return (await lab.kube.run('sh', ['-ec', script, `/var/lib/lab-volumes/${volume}${folder}`])).stdout
  }
  const volume = (claim: string) => inSpace(`get pvc/${claim} -o jsonpath={.spec.volumeName}`)
  const policy = async (claim: string) =>
    lab.kubectl(`get pv/${await volume(claim)} -o jsonpath={.spec.persistentVolumeReclaimPolicy}`)

  const before = { documents: '', digests: '', mongodb: '', minio: '', service: '' }
  let keys: OriginalKeys
  beforeAll(async () => {
    const { encryption_key: encryption = '', vapid_private_key: vapid = '', ...all } = await held()
    keys = { encryption, vapid, rabbitmq: all.rabbitmq_password ?? '', minio: all.minio_password ?? '' }
    await makeOriginal(lab, keys)
    Object.assign(before, {
      documents: await documents('deployment/stoat-mongodb'),
      digests: await digests(claims.minio, '/files'),
      ...{ mongodb: await volume(claims.mongodb), minio: await volume(claims.minio) },
      service: await inSpace('get service/stoat-caddy -o jsonpath={.metadata.uid}'),
    })
    expect(before.documents).toContain('"migrations"')
    expect(before.digests).toMatch(/^\w{64} /)
  })

  it('is not deployed beside what Terraform made, and the way is told', async () => {
    const touched = await lab.writesOf(async () => {
      const failure = await failureOf(settle(lab.work()))
      expect(failure.message).toMatch(/another program made deployment stoat-\w+ and 4 more: Stoat is there already/)
      expect(failure.remedy).toContain('npm run adopt -w stoat -- --check')
    })
    expect(touched).toBe(0)
  })

  it('is not adopted where its files lie in a folder of their volume, until they were moved as it says', async () => {
    let remedy = ''
    const touched = await lab.writesOf(async () => {
      const failure = await failureOf(settle(work()))
      expect(failure.message).toContain(`keeps its data in claim ${claims.minio}, in its folder files`)
      remedy = failure.remedy ?? ''
    })
    expect(touched).toBe(0)
    await must('sh', ['-c', remedy.slice(remedy.indexOf('kubectl '))], { env: lab.kube.env })
    expect(await digests(claims.minio)).toBe(before.digests)
  })

  it('tells before what is lost, what goes, and what is left', async () => {
    const shown = { code: 0, stdout: '' }
    expect(await lab.writesOf(async () => Object.assign(shown, await lab.cli('adopt', '--check', '-v')))).toBe(0)
    expect(shown.code, shown.stdout).toBe(0)
    const plan = await makePlan(work(), () => {})
    expect(told(plan)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^remove deployment stoat-rabbitmq, with the messages that wait in it .*\[data\]$/),
        expect.stringMatching(/^remove deployment stoat-mongodb, .* on its volume \[downtime\]$/),
        `update claim ${claims.mongodb} becomes claim data-stoat-mongodb-0, on the same volume ${before.mongodb} (12Gi)`,
        expect.stringMatching(
          /^update secret stoat-secrets: encryption_key \(from Revolt\.toml of config map .*vapid_private_key \(from/,
        ),
      ]),
    )
    expect(notesOf(plan)).toEqual(
      expect.arrayContaining([
        'deployment stoat-api also has container metrics (quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z), variable PROXY_OF_US, volume theirs (hostPath /opt/theirs), nodeSelector: a deployment makes none of it again',
        expect.stringContaining(`claim ${claims.rabbitmq} of stoat-rabbitmq is left as it is`),
        expect.stringContaining('terraform state rm'),
      ]),
    )
    expect(shown.stdout).toMatch(/-container api\n +- {2}image quay[\s\S]*\+container stoat-api/)
    for (const value of ['hush-hush', ...Object.values(keys)]) expect(shown.stdout).not.toContain(value)
  })

  it('lets no deployment come in between where it was ended with a volume between two claims', async () => {
    let ends = false
    const run = settle(work(), {
      emit: (event) => {
        if (event.type === 'change.start' && event.say.startsWith('deployment stoat-rabbitmq')) ends = true
      },
      stopping: () => ends,
    })
    expect((await failureOf(run)).message).toContain('stopped')
    await inSpace(`delete pvc/${claims.mongodb} --wait`)
    const failure = await failureOf(planned(lab.work()))
    expect(failure.message).toMatch(/has not come to its end: volume pvc-\S+ is kept for claim data-stoat-\w+-0$/)
    expect(failure.remedy).toContain('npm run adopt -w stoat')
  })

  it('is adopted: the same volumes, the same documents and files, the same keys', async () => {
    await settle(work())
    expect(await planned(work())).toEqual([])
    expect(await inSpace('get deployments -o name')).toBe('')
    expect(await inSpace('get pods -l app!=redis -o name')).toBe('')
    expect([await volume('data-stoat-mongodb-0'), await volume('data-stoat-minio-0')]).toEqual([
      before.mongodb,
      before.minio,
    ])
    expect([await policy('data-stoat-mongodb-0'), await policy('data-stoat-minio-0')]).toEqual(['Delete', 'Delete'])
    expect(await digests('data-stoat-minio-0')).toBe(before.digests)
    const { encryption_key, vapid_private_key, rabbitmq_password, minio_password } = await held()
    expect({
      ...{ encryption: encryption_key, vapid: vapid_private_key, rabbitmq: rabbitmq_password, minio: minio_password },
    }).toEqual(keys)
    expect(await inSpace('get service/stoat-caddy -o jsonpath={.metadata.uid}')).toBe(before.service)
    const kept = await inSpace('get secret stoat-original -o jsonpath={.data.deployment-stoat-api\\.json}')
    expect(Buffer.from(kept, 'base64').toString()).toContain('"hush-hush"')
    expect(maker).toBe('HashiCorp')
  })

  it('has its documents after the next deployment', async () => {
    await settle(lab.work({}, 'config', 'datastores'))
    expect(await documents('stoat-mongodb-0')).toBe(before.documents)
  })
}
