import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Command, revealText } from '@infra/shared/command/command'
import { quote } from '@infra/shared/command/sh'
import { collect } from '@infra/shared/engine/declaration'
import { changesOf, makePlan, type Work } from '@infra/shared/engine/plan'
import { loadEnv } from '@infra/shared/env/load'
import { podSchema } from '../../pod/env/env.ts'
import pod from '../../pod/pod.ts'
import type { Pod } from '../lab/pod-setup.ts'
import { plainEnv } from '../support/cli.ts'

/** The steps of the pod for a lab pod, and what closes their target. */
export function podWork({ root }: Pod): { work: Work[]; close(): Promise<unknown> } {
  const { env } = loadEnv({ schema: podSchema, root, processEnv: plainEnv() })
  if (!env) throw new Error('bench: the environment of the lab pod is not valid')
  const { context, targets } = pod.open({ env, offline: false, folder: join(root, '.infra-bench') })
  return { work: collect(pod.scripts, context), close: () => Promise.all(targets.map((target) => target.close())) }
}

const fed = ({ line, stdin }: Command) =>
  stdin
    ? `printf %s ${Buffer.from(revealText(stdin)).toString('base64') || "''"} | base64 -d | ( eval ${quote(line)} )`
    : `( eval ${quote(line)} ) </dev/null`

/** A program that asks all questions of a deployment, each once, one after the other, without frames and limits. */
export function allQuestions(work: readonly Work[]): { source: string; count: number } {
  const commands = work.flatMap(({ steps }) => steps.flatMap(({ ask }) => Object.values(ask).map((q) => q.command)))
  const once = [...new Set(commands.map(fed))]
  const setting = 'exec 2>/dev/null; export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return { source: `${setting}\n${once.join('\n')}\ntrue\n`, count: once.length }
}

/** The packages that a first deployment installs. */
export async function missingPackages(work: readonly Work[]): Promise<string[]> {
  const plan = await makePlan(work, () => {})
  const batches = plan.steps.flatMap(changesOf).flatMap(({ batch }) => (batch?.key === 'apt' ? batch.items : []))
  return [...new Set(batches)]
}

/** Runs a program by one cold ssh: what anything that works over ssh must at least cost. */
export function coldSsh({ host }: Pod, program: string): Promise<void> {
  const options = ['-o', 'ControlPath=none', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
  const argv = [...options, '-o', 'LogLevel=ERROR', '-i', host.keyFile, `root@${host.address}`, 'sh -s']
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', argv, { stdio: ['pipe', 'ignore', 'inherit'] })
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`bench: ssh ended with ${code}`))))
    child.stdin.end(program)
  })
}
