import { changesOf, makePlan } from '@infra/shared/engine/plan'
import { expect, it } from 'vitest'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { startCli } from '../../support/cli.ts'
import { failureOf } from '../aws-lab.ts'
import { killAll, reaches } from '../kills.ts'
import { notesOf, planned, settle } from '../kube-steps.ts'
import type { StoatLab } from '../stoat-world.ts'

interface Upgrading {
  readonly lab: StoatLab
  /** The environment, but for the release. */
  more(): Partial<StoatEnv>
  /** From now on this release is the one that the suite deploys. */
  become(release: StoatEnv['STOAT_IMAGES']): void
  converges(): Promise<void>
}

/** Why a deployment is refused, or fails; and how much it has written. */
const refusal = async (lab: StoatLab, more: Partial<StoatEnv>) => {
  let message = ''
  const writes = await lab.writesOf(async () => {
    message = (await failureOf(settle(lab.work(more)))).message
  })
  return { message, writes }
}

const apiStarts = async (lab: StoatLab) =>
  (await lab.inSpace('get replicasets -l app=stoat-api -o name')).split('\n').length

/** From `revolt`, which runs, to `stoat`. */
export function firstUpgradeTest({ lab, more, become, converges }: Upgrading): void {
  it('goes from revolt to stoat with a backup, and not without', async () => {
    const to = { ...more(), STOAT_IMAGES: 'stoat' } as const
    await lab.inDatabase(
      'db.servers.insertOne({ _id: "S", roles: { R: { name: "of the time before roles had ids" } } })',
    )
    expect(await refusal(lab, to)).toEqual({
      message: expect.stringMatching(
        /^release of Stoat: STOAT_IMAGES=stoat migrates the database from revision 48 to 50, for good: .*; there is no backup/,
      ),
      writes: 0,
    })
    const plan = await makePlan(lab.upgrade(to), () => {})
    expect(notesOf(plan)).toContainEqual(expect.stringMatching(/revision 48 to 50.*The way back is your backup/))
    expect(plan.steps.flatMap(changesOf).filter(({ risk }) => risk === 'data')).toEqual([
      expect.objectContaining({
        say: expect.stringMatching(/^database revolt: revision 48 → 50 \(.*each role gets its id/),
      }),
    ])
    const before = await apiStarts(lab)
    await settle(lab.upgrade(to))
    become('stoat')
    expect(await apiStarts(lab)).toBe(before + 1)
    const found = '[db.migrations.findOne({}).revision, db.servers.findOne({ _id: "S" }).roles.R._id]'
    expect(await lab.inDatabase(found)).toBe('[50,"R"]')
    await lab.inDatabase('db.servers.deleteMany({ _id: "S" })')
    await converges()
  })
}

/** From `stoat` to `next`, with everything going wrong. */
export function nextUpgradeTests({ lab, more }: Upgrading): void {
  const to = (other: Partial<StoatEnv> = {}) => ({ ...more(), STOAT_IMAGES: 'next', ...other }) as const
  const migration = (lab_: string) =>
    lab.inDatabase(`db.lab.replaceOne({ _id: "migration" }, ${lab_}, { upsert: true })`)
  const state = () =>
    lab.inDatabase(
      '[db.migrations.findOne({}).revision, db.invites.countDocuments({}), db.account_invites.countDocuments({})]',
    )

  it('stays at an api that does not get over the migration, and says what to do', async () => {
    const literals = { made: new Date().toISOString(), name: 'stoat.age', place: 'ana@laptop:/backups' }
    const words = Object.entries(literals).map(([name, value]) => `--from-literal=${name}=${value}`)
    await lab.inSpace('delete configmap stoat-backup --ignore-not-found')
    await lab.inSpace(`create configmap stoat-backup ${words.join(' ')}`)
    await lab.inDatabase('db.invites.insertOne({ _id: "old-code" })')
    await migration('{ _id: "migration", fails: true }')
    const failure = await failureOf(settle(lab.work(to({ ROLLOUT_TIMEOUT: 25 }))))
    expect(failure.message).toMatch(/stoat-api: not ready; stoat-api: stays at its image, which has begun/)
    expect(failure.remedy).toMatch(/npm run logs -w stoat -- api --previous.*the migration begins anew/)
    expect(failure.detail.join('\n')).toMatch(/stoat-api-\S+ +0\/1/)
    expect(await state()).toBe('[50,0,1]')
    expect(await lab.inSpace('get deployment stoat-api -o jsonpath={..containers[0].image}')).toContain('api:v0.15.1')
  })

  it('goes on where a run was killed in the midst of the migration, and starts the api once more', async () => {
    await migration('{ _id: "migration", waits: true }')
    await lab.inSpace('delete pod -l app=stoat-api --wait=false')
    const run = startCli('stoat', ['deploy', '--yes', '--json', '--skip-verification'], {
      root: lab.folder,
      env: { PATH: process.env.PATH, STOAT_IMAGES: 'next' },
    })
    const waits = ({ type, say }: { type: string; say?: unknown }) =>
      type === 'change.start' && String(say).includes('stoat-api rolled out')
    expect(await reaches(run, (events) => events.some(waits)), run.said()).toBe(true)
    await killAll(run)
    expect((await state()).startsWith('[50,')).toBe(true)
    const lines = await planned(lab.work(to()))
    expect(lines).toContainEqual(expect.stringMatching(/^update database revolt: revision 50 → 52/))
    const before = await apiStarts(lab)
    await migration('{ _id: "migration" }')
    await settle(lab.work(to()))
    expect(await state()).toBe('[52,0,1]')
    expect(await apiStarts(lab)).toBe(before + 1)
    expect(await planned(lab.work(to()))).toEqual([])
    expect(await lab.verify(to(), 'services')).not.toContainEqual(expect.stringMatching(/^(fail|warn)/))
  })

  it('makes invites where the database has them, and refuses an older release before any change', async () => {
    expect((await lab.cliIn({ env: { STOAT_IMAGES: 'next' } }, 'invite', 'for-ana')).code).toBe(0)
    expect(await state()).toBe('[52,0,2]')
    for (const [release, knows] of [
      ['stoat', 50],
      ['revolt', 48],
    ] as const)
      expect(await refusal(lab, { ...more(), STOAT_IMAGES: release })).toEqual({
        message: expect.stringContaining(`revision 52, and STOAT_IMAGES=${release} knows revision ${knows} at most`),
        writes: 0,
      })
    const status = JSON.parse((await lab.cliIn({ env: { STOAT_IMAGES: 'next' } }, 'status', '--json')).stdout)
    expect(status.database).toEqual([expect.objectContaining({ revision: '52', 'of release': '52', mongodb: '7.0.0' })])
    const api = status.versions.find(({ name }: { name: string }) => name === 'stoat-api')
    expect(api).toMatchObject({ running: 'the same', digest: expect.stringMatching(/^sha256:/) })
  })
}
