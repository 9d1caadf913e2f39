import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { startCli } from '../../support/cli.ts'
import { sampleArguments } from '../aws-lab.ts'
import { must, until } from '../run.ts'
import type { StoatLab } from '../stoat-world.ts'
import { findings } from '../verify-runs.ts'

interface Keys {
  readonly recipient: string
  readonly identity: string
}

/** Backup, drill, and restore into a Stoat that was made anew. */
export function backupTests(lab: StoatLab): void {
  const at = (...names: readonly string[]) => join(lab.folder, ...names)
  const keys = { recipient: '', identity: '' }
  const undeployed: Record<string, string> = {}
  const env = () => ({
    ...{ STOAT_BACKUP_RECIPIENT: keys.recipient, STOAT_BACKUP_IDENTITY_FILE: keys.identity },
    ...undeployed,
  })
  const cli = (...args: string[]) => lab.cliIn({ env: env() }, ...args)
  /** A run that is killed once it has said so. */
  const killed = async (says: RegExp, ...args: string[]) => {
    const run = startCli('stoat', [...args, '--json'], { root: lab.folder, env: { ...lab.operator().env, ...env() } })
    let over = false
    void run.ended.then(() => {
      over = true
    })
    await until(String(says), 60_000, () => says.test(run.said()) || over || undefined, 5)
    if (over) throw new Error(`it ended before it said ${says}: ${run.said()}`)
    run.kill('SIGKILL')
    await run.ended
  }
  const store = (signal: 'STOP' | 'CONT') =>
    lab.inSpace('exec stoat-minio-0 -- sh -c', `kill -${signal} $(pidof versitygw)`)
  const encryptionKey = () => lab.inSpace('get secret stoat-secrets -o jsonpath={.data.encryption_key}')
  const archive = () => at('backups', readdirSync(at('backups')).find((name) => name.endsWith('Z.tar.age')) ?? '')
  const documents = async () => {
    const all = '["messages", "users", "channels", "attachments", "invites", "notes"]'
    return lab.inDatabase(`${all}.map((name) => [name, db.getCollection(name).find().toArray()])`)
  }
  const before = { key: '', documents: '', arguments: '' }

  beforeAll(async () => {
    Object.assign(keys, await newKeys(lab.folder, 'age.key'))
    mkdirSync(at('backups'))
    const notes = Array.from(
      { length: 250 },
      (_, index) => `{ _id: "n${index}", text: "grüße ${index}", at: ${index}.5 }`,
    )
    await lab.inDatabase(`db.notes.insertMany([${notes.join()}])`)
  })

  it('leaves no archive under its name when it is killed, and makes it the next time', async () => {
    const path = at('backups', 'killed')
    // It waits for the first file, and the draft is there.
    await store('STOP')
    await killed(/database/, 'backup', '--to', path).finally(() => store('CONT'))
    expect(existsSync(`${path}.tmp`)).toBe(true)
    expect(existsSync(path)).toBe(false)
    const made = await cli('backup', '--to', path)
    expect([made.code, made.stdout.trim().split('\n').at(-1)], made.stderr).toEqual([0, path])
    expect(readdirSync(at('backups'))).toEqual(['killed'])
  })

  it('is one file that nobody else can read, of which the cluster knows', async () => {
    const arguments_ = sampleArguments()
    const made = await cli('backup', '--to', at('backups/'))
    expect(made.code, made.stderr).toBe(0)
    before.arguments = (await arguments_.stop()).join('\n')
    expect(statSync(archive()).mode & 0o777).toBe(0o600)
    const verified = await cli('verify', '--only', 'backup', '--json')
    expect(findings(verified)).toEqual([expect.objectContaining({ id: 'backup.last', outcome: 'ok' })])
  })

  it('shows its keys nowhere', async () => {
    const key = Buffer.from(await encryptionKey(), 'base64').toString()
    const runs = readdirSync(at('.infra/runs')).map((name) => readFileSync(at('.infra/runs', name), 'utf8'))
    const told = [readFileSync(archive(), 'latin1'), before.arguments, ...runs]
    expect(key).toMatch(/^[\w+/]{43}=$/)
    expect(before.arguments).toContain('mongodump --archive')
    for (const text of told) expect(text.includes(key) || text.includes(encodeURIComponent(key))).toBe(false)
  })

  it('is opened by the usual programs, too', async () => {
    const script =
      'tail -c +1025 "$1" | age -d -i "$2" | tar -xf - -C "$3" && cd "$3" && sha256sum --quiet -c SHA256SUMS && cat files.* | tar -tf -'
    mkdirSync(at('by-hand'))
    const listed = await must('bash', ['-ec', script, 'bash', archive(), keys.identity, at('by-hand')])
    const inStore = await lab.inSpace('exec stoat-minio-0 -- find /data/revolt-uploads -type f')
    expect(listed.trim().split('\n').length).toBe(inStore.split('\n').length)
  })

  it('is restored beside what runs, compared, and removed again, after a drill that was killed too', async () => {
    await killed(/files: 1 of/, 'drill')
    expect(await lab.inDatabase('db.getSiblingDB("stoat_drill").getCollectionNames()')).not.toBe('[]')
    expect(await lab.inSpace('exec stoat-minio-0 -- ls /data')).toContain('revolt-uploads-drill')
    const drilled = await cli('drill')
    expect(drilled.code, drilled.stderr).toBe(0)
    expect(drilled.stderr).toMatch(
      /database: \d{3,} documents in \d+ collections, counts, digests and indexes as in the/,
    )
    expect(drilled.stderr).toMatch(/files: [1-9]\d* of \d+ bytes, counts and digests as in the manifest/)
    expect(drilled.stderr).toContain('keys: those that the cluster holds')
    expect(await lab.inDatabase('db.getSiblingDB("stoat_drill").getCollectionNames()')).toBe('[]')
    expect(await lab.inSpace('exec stoat-minio-0 -- ls /data')).not.toContain('drill')
  })

  it('asks before it replaces anything', async () => {
    const wrote = await lab.writesOf(async () => {
      const looked = await cli('restore', archive(), '--check')
      expect([looked.code, looked.stderr]).toEqual([
        0,
        expect.stringMatching(/would replace \d+ documents and \d+ files/),
      ])
      const asked = await cli('restore', archive())
      expect([asked.code, asked.stderr]).toEqual([64, expect.stringContaining('--confirm stoat.example.com')])
    })
    // The lock, taken and given back.
    expect(wrote).toBeLessThanOrEqual(4)
  })

  it('comes back into a Stoat that was made anew, over a restore that was killed', async () => {
    Object.assign(before, { key: await encryptionKey(), documents: await documents() })
    const volumes = ['mongodb', 'rabbitmq', 'minio'].map((name) => `data-stoat-${name}-0`)
    const names = [...volumes, 'stoat-secrets'].flatMap((name) => ['--confirm', name])
    const gone = await cli('destroy', '--yes', '--data', ...names)
    expect(gone.code, gone.stderr).toBe(0)
    const deployed = await cli('deploy', '--yes', '--skip-verification')
    expect(deployed.code, deployed.stderr).toBe(0)
    expect(await encryptionKey()).not.toBe(before.key)
    // The stores have the passwords of the deploy until the restore starts them anew.
    Object.assign(undeployed, { STOAT_RABBITMQ_PASS: 'broker-Pass-of-3151', STOAT_MINIO_PASS: 'store-Pass-of-9262' })
    await killed(/files: 1 of/, 'restore', archive())
    const plan = await cli('plan')
    expect([plan.code, plan.stdout + plan.stderr]).toEqual([1, expect.stringMatching(/restore of \S+ came to no end/)])
    const restored = await cli('restore', archive())
    expect(restored.code, restored.stderr).toBe(0)
    expect(restored.stderr).toMatch(/the canary file comes back as it was stored \(1000 bytes\)/)
    expect([await encryptionKey(), await documents()]).toEqual([before.key, before.documents])
    const left = await cli('plan', '--detailed-exitcode')
    expect(left.code, left.stdout).toBe(0)
    const inBroker = 'exec stoat-rabbitmq-0 -- rabbitmqctl -q authenticate_user rabbituser'
    expect(await lab.inSpace(inBroker, undeployed.STOAT_RABBITMQ_PASS)).toContain('Success')
    const verified = await cli('verify', '--json', '--smoke')
    expect(findings(verified).filter(({ outcome }) => outcome === 'fail')).toEqual([])
  })
}

/** A key of age below a folder. */
export async function newKeys(folder: string, name: string): Promise<Keys> {
  const identity = join(folder, name)
  await must('age-keygen', ['-o', identity])
  return { identity, recipient: (await must('age-keygen', ['-y', identity])).trim() }
}
