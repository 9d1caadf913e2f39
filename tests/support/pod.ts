import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Output } from '@infra/shared/command/command'
import { runChecks } from '@infra/shared/engine/check'
import { sampleEnv } from '@infra/shared/env/sample'
import pod from '../../pod/pod.ts'
import { podFile } from '../unit/env/place.ts'
import { type CliResult, runCli } from './cli.ts'
import { tempFolder } from './temp.ts'

/**
 * What a check of the pod finds when its host answers every question so: `ok 501 MB`. The answer is what a command
 * prints, or its whole output. Throws when no check has this id, or one that asks nothing.
 */
export async function podFinding(id: string, answer: string | Partial<Output>): Promise<string> {
  const output = { code: 0, stdout: '', stderr: '', ...(typeof answer === 'string' ? { stdout: answer } : answer) }
  const host = { name: 'host', ask: async (questions: readonly Command[]) => questions.map(() => output) }
  const checks = pod.checks({ env: sampleEnv(pod.schema), host }).filter((check) => check.id === id && check.asked)
  const [found] = checks
  if (!found || checks.length > 1) throw new Error(`the pod has ${checks.length} checks ${id} that ask its host`)
  let said = ''
  await runChecks(checks, (event) => {
    if (event.type === 'check') said = `${event.outcome} ${event.detail}`
  })
  return said
}

// Stands for ssh(1): runs on this machine what a host would run.
const sshHere = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\n[ $# -gt 0 ] || exec sh\nexec sh -c "$*"\n'

/** Runs a command of the pod to its end, with this machine in the place of the host: `podCommand('ssh', 'id')`. */
export function podCommand(...args: string[]): Promise<CliResult> {
  const root = tempFolder()
  writeFileSync(join(root, '.env.pod'), podFile(), { mode: 0o600 })
  writeFileSync(join(root, 'ssh'), sshHere, { mode: 0o755 })
  return runCli('pod', args, { root, env: { PATH: `${root}:${process.env.PATH}` } })
}
