import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeployOptions, deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { assertSound, makePlan, type Plan, type Work } from '@infra/shared/engine/plan'
import { changes, type Step, step, update } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { type KubectlOptions, kubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { afterAll, beforeAll } from 'vitest'
import { told } from './aws-lab.ts'
import { type KubeLab, startKube } from './kube/kube.ts'

/** For a suite: a real cluster, and targets that lead to it. */
export function useKube() {
  let kube: KubeLab
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-'))

  beforeAll(async () => {
    kube = await startKube()
  })
  afterAll(async () => {
    await kube?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const open = (options: Partial<KubectlOptions> = {}) =>
    kubernetes({
      access: () => readAccess(kube.kubeconfig, 'lab'),
      placeholderName: 'kubernetes lab',
      cache: join(folder, 'cache'),
      env: { PATH: kube.env.PATH },
      ...options,
    })
  return {
    get kube() {
      return kube
    },
    folder,
    open,
    /** Runs kubectl and gives what it said; what fails ends the test. */
    async kubectl(line: string, input?: string): Promise<string> {
      const { code, stdout, stderr } = await kube.kubectl(line.split(' '), input)
      if (code !== 0) throw new Error(`kubectl ${line}: ${stderr}`)
      return stdout.trim()
    },
    /** Applies objects as another program would that knows nothing of us. */
    async as(manager: string, ...items: object[]): Promise<void> {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      const { code, stderr } = await kube.kubectl(['create', `--field-manager=${manager}`, '-f', '-'], list)
      if (code !== 0) throw new Error(`create by ${manager}: ${stderr}`)
    },
    /** How many writes some work makes, by the audit log. */
    async writesOf(work: () => Promise<unknown>): Promise<number> {
      const mark = await kube.auditMark()
      await work()
      return (await kube.auditWrites(mark)).reduce((sum, { count }) => sum + count, 0)
    },
  }
}

export const workOf = (...steps: Step[]): Work[] => [{ script: 'one', steps }]

/** What a plan would change, in a line each; or what it refuses. */
export async function planned(work: Work[]): Promise<string[]> {
  const plan = await makePlan(work, () => {})
  assertSound(plan)
  return told(plan)
}

/** What a plan shows besides: what is seen and left alone. */
export const notesOf = (plan: Plan) =>
  plan.steps.flatMap(({ decision }) => (decision && decision.kind !== 'refused' ? (decision.notes ?? []) : []))

/** Deploys, everybody agreeing; gives how many changes were made and what was told. */
export async function settle(work: Work[], options: Partial<DeployOptions> = {}) {
  const events: Event[] = []
  const made = await deploy(work, {
    emit: (event) => void events.push(event),
    stopping: () => false,
    holder: 'the test',
    lockTimeout: 0,
    agree: async () => {},
    ...options,
  })
  return { made, events }
}

/** A step of another place that has something to do. */
export const pendingStep = (id: string) =>
  step({ id, on: blank('a builder'), ask: {}, plan: () => changes([update(id, [])], '') })
