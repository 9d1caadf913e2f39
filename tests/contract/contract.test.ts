import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deploy, planWork } from '@infra/shared/engine/deploy'
import type { Failure } from '@infra/shared/engine/failure'
import { changesOf, type Plan, type Work } from '@infra/shared/engine/plan'
import type { Target } from '@infra/shared/engine/target'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import { blank } from '@infra/shared/targets/blank'
import { type SshTarget, ssh } from '@infra/shared/targets/ssh/ssh'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claudeInstaller } from '../lab/claude-installer.ts'
import { diffFingerprints } from '../lab/fingerprint.ts'
import { gitServer } from '../lab/git-server.ts'
import { bootHost, type LabHost } from '../lab/host.ts'
import { requireLab, title } from '../lab/prerequisites.ts'
import { accessKinds } from './access.ts'
import { contractState } from './contract-host.ts'
import { databaseKinds } from './database.ts'
import type { Damage, Kind, Servers } from './kind.ts'
import { packageKinds } from './packages.ts'
import { serviceKinds } from './services.ts'
import { systemKinds } from './system.ts'
import { vkbKinds } from './vkb.ts'
import { webKinds } from './web.ts'

const kinds: readonly Kind[] = [
  ...packageKinds,
  ...systemKinds,
  ...serviceKinds,
  ...webKinds,
  ...accessKinds,
  ...databaseKinds,
  ...vkbKinds,
]

const stepFolder = join(import.meta.dirname, '../../shared/src/steps')
const testFolder = join(import.meta.dirname, '..')

/** Steps of clouds are tried against their servers, those of Synapse on a whole pod, each in a suite of its own. */
const elsewhere: Readonly<Record<string, string>> = {
  'aws/removal.ts': 'lab/cluster-commands.test.ts',
  'host/certificate.ts': 'lab/pod-certificate.test.ts',
  'digitalocean/dns.ts': 'lab/digitalocean.test.ts',
  'digitalocean/firewall.ts': 'lab/digitalocean.test.ts',
  'digitalocean/kubernetes.ts': 'lab/doks.test.ts',
  'digitalocean/removal.ts': 'lab/cluster-deploy.test.ts',
  'digitalocean/ssh-key.ts': 'lab/digitalocean.test.ts',
  'digitalocean/droplet.ts': 'lab/digitalocean.test.ts',
  'aws/dynamodb.ts': 'lab/dynamodb.test.ts',
  'aws/ecr.ts': 'lab/cluster-aws.test.ts',
  'aws/iam-keys.ts': 'lab/iam-keys.test.ts',
  'aws/iam.ts': 'lab/cluster-aws.test.ts',
  'aws/image.ts': 'lab/images.test.ts',
  'kubernetes/removal.ts': 'lab/kube-removal.test.ts',
  'kubernetes/job.ts': 'lab/stoat-deploy.test.ts',
  'kubernetes/kubeconfig.ts': 'lab/doks.test.ts',
  'kubernetes/load-balancer.ts': 'lab/stoat-deploy.test.ts',
  'kubernetes/manifests.ts': 'lab/manifests.test.ts',
  'synapse/matrix-users.ts': 'lab/pod-synapse.test.ts',
  'kubernetes/namespace.ts': 'lab/stoat-deploy.test.ts',
  'new-secret.ts': 'unit/steps/weak-secrets.test.ts',
  'kubernetes/pull-secret.ts': 'lab/workloads.test.ts',
  'kubernetes/restart.ts': 'lab/cluster-deploy.test.ts',
  'kubernetes/rollouts.ts': 'lab/workloads.test.ts',
  'host/signing-key.ts': 'lab/pod-backup.test.ts',
  'kubernetes/same-region.ts': 'lab/workloads.test.ts',
  'kubernetes/secret-key-store.ts': 'lab/workloads.test.ts',
  'kubernetes/younger-than.ts': 'lab/stoat-deploy.test.ts',
  'aws/sqs.ts': 'lab/cluster-aws.test.ts',
  'postgres/schema-fits.ts': 'lab/pod-adopted.test.ts',
  'synapse/config.ts': 'lab/pod-adopted.test.ts',
  'synapse/signing-key.ts': 'lab/pod-synapse.test.ts',
  'synapse/synapse.ts': 'lab/pod-synapse.test.ts',
}

test('every exported function that makes a step is in the table', () => {
  const covered = new Set(kinds.flatMap(({ covers }) => covers))
  const files = readdirSync(stepFolder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  for (const name of files) {
    const suite = elsewhere[name]
    if (suite !== undefined) expect(existsSync(join(testFolder, suite)), suite).toBe(true)
    else
      for (const made of stepsMadeBy(readFileSync(join(stepFolder, name), 'utf8')))
        expect(covered, name).toContain(made)
  }
})

/** The exported functions of a source whose type is Step or Step[]: the type stands where the head of a function ends. */
function stepsMadeBy(source: string): string[] {
  const heads = source.matchAll(/^export function (\w+)\([\s\S]*?\): ([^\n]*) \{$/gm)
  return [...heads].filter(([, , type]) => /^Step(\[\])?$/.test(type ?? '')).map(([, name]) => name ?? '')
}

const skip = requireLab('host', 'git')

describe.skipIf(skip)(title('the contract of all kinds of steps', skip), () => {
  let lab: LabHost
  let folder: string
  let servers: Servers
  let host: SshTarget

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'contract-'))
    lab = await bootHost({ from: await contractState() })
    // A fingerprint dumps the databases of a server that runs: only its own kinds, which come last, need that.
    await onHost('systemctl stop postgresql@17-main')
    servers = { git: await gitServer({ hosts: [lab] }), claude: await claudeInstaller([lab]) }
    const knownHosts = join(folder, 'known_hosts')
    host = ssh({ host: lab.address, port: 22, user: 'root', keyFile: lab.keyFile, knownHosts })
  })
  afterAll(async () => {
    await host?.close()
    await servers?.git.stop()
    await servers?.claude.stop()
    await lab?.destroy()
    await rm(folder, { recursive: true, force: true })
  })

  const onHost = async (script: string) => {
    const { code, stdout, stderr } = await lab.exec(script)
    expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
  }
  const workOf = ({ kind, steps }: Kind, on: Target): Work[] => [{ script: kind, steps: steps(on, servers) }]
  const make = (work: readonly Work[]) =>
    deploy(work, { emit: () => {}, stopping: () => false, holder: 'contract', lockTimeout: 0, agree: async () => {} })

  test("PostgreSQL's package source is desired only where the release lacks that version", async () => {
    const plan = (on: Target, version: number) =>
      planWork([{ script: 'pgdg', steps: [pgdgSource(on, version, { dependsOn: [] })] }], () => {})
    const because = async (on: Target, version: number) => {
      const { decision } = (await plan(on, version)).steps[0] ?? {}
      return decision?.kind === 'converged' ? decision.because : said(await plan(on, version))
    }
    expect(await because(host, 17)).toBe('trixie carries PostgreSQL 17 and pgvector')
    expect(await because(host, 16)).toBe('source pgdg')
    expect(await because(blank('a new host'), 16)).toBe('noble carries PostgreSQL 16 and pgvector')
    expect(await because(blank('a new host'), 17)).toBe('source pgdg')
  })

  test('packages are not brought at the cost of others, which no plan has named', async () => {
    const apt = (words: string) => onHost(`DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends ${words}`)
    await apt('install iptables-persistent')
    const work = [{ script: 'packages', steps: [aptPackages(host, ['ufw'])] }]
    await expect(make(work)).rejects.toThrow(/apt would take away iptables-persistent netfilter-persistent, so nothing/)
    await onHost('dpkg -s iptables-persistent')
    await apt('purge iptables-persistent netfilter-persistent')
    expect(await make(work)).toBe(1)
  })

  describe.each(kinds)('$kind', (kind) => {
    test('is planned for a blank host', async () => {
      const plan = await planWork(workOf(kind, blank('a new host')), () => {})
      if (!kind.judges) expect(said(plan)).not.toBe('')
    })

    test('is made; a second plan is empty', async () => {
      if (kind.prepare) await onHost(kind.prepare)
      const work = workOf(kind, host)
      const made = await make(work)
      expect(made > 0).toBe(kind.judges !== true)
      expect(said(await planWork(work, () => {}))).toBe('')
    })

    test.for(kind.damages)('$name: shown, then healed', async (damage) => {
      await onHost(damage.sh)
      const work = workOf(kind, host)
      const before = await lab.fingerprint()
      const remedy = await judge(damage, work)
      expect(diffFingerprints(before, await lab.fingerprint())).toEqual([])
      if ('fails' in damage) {
        await expect(make(work)).rejects.toThrow(damage.fails)
        await onHost(damage.left)
      }
      if ('mend' in damage && damage.mend) await onHost(damage.mend)
      else if ('stops' in damage) {
        const [, command] = remedy.match(/(?:^|: )((?:systemctl|mv) \S[^\n]*)$/) ?? []
        await onHost(command ?? `false # ${remedy}`)
        await make(work)
      }
      if (!('stops' in damage)) expect(await make(work)).toBeGreaterThan(0)
      if ('healed' in damage && damage.healed) await onHost(damage.healed)
      expect(said(await planWork(work, () => {}))).toBe('')
    })
  })

  /**
   * The plan of a damaged host shows this step and no other, or stops; a deploy that must stop writes nothing. Gives the
   * remedy.
   */
  async function judge(damage: Damage, work: readonly Work[]): Promise<string> {
    if ('stops' in damage) {
      let remedy = ''
      for (const attempt of [() => planWork(work, () => {}), () => make(work)]) {
        const error = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        expect(error).toMatchObject({
          message: expect.stringMatching(damage.stops),
          remedy: expect.stringMatching(/./),
        })
        remedy = (error as Failure).remedy ?? ''
      }
      return remedy
    }
    const plan = await planWork(work, () => {})
    if ('fails' in damage) return ''
    const open = plan.steps.filter((planned) => changesOf(planned).length > 0)
    expect(said(plan)).toMatch(damage.says)
    if (damage.hides) expect(JSON.stringify(plan.steps)).not.toContain(damage.hides)
    expect(open.map(({ step }) => step.id).join(', ')).toBe(damage.step ?? work[0]?.steps.at(-1)?.id)
    return ''
  }
})

/** All changes of a plan, in its words. */
function said(plan: Plan): string {
  return plan.steps
    .flatMap(changesOf)
    .map(({ say }) => say)
    .join(', ')
}
