import { sh } from '@infra/shared/command/sh'
import { ssh } from '@infra/shared/targets/ssh/ssh'

/** What this process, meant to be killed, does on the host: holds the lock and runs a command, guarded or not. */
export interface ChildTask {
  readonly address: Parameters<typeof ssh>[0]
  readonly script: string
  readonly undo?: string
  readonly undoAtBoot?: string
  /** 6 unless told. */
  readonly seconds?: number
}

// Started by ssh-target.test.ts as a process of its own, so that it can be killed without warning.
const task = JSON.parse(process.argv[2] ?? '') as ChildTask
const host = ssh(task.address)
await host.lock?.({ holder: 'the child', timeout: 0, waiting: () => {} })
console.log('locked')
const commands = [sh`sh -c ${task.script}`]
const hear = (line: string) => console.log(line)
if (task.undo === undefined) await host.run(commands, hear)
else {
  const atBoot = task.undoAtBoot === undefined ? {} : { undoAtBoot: sh`sh -c ${task.undoAtBoot}` }
  const guard = { name: 'child', seconds: task.seconds ?? 6, undo: sh`sh -c ${task.undo}`, ...atBoot }
  await host.guarded?.(commands, guard, hear)
}
console.log('ran')
setInterval(() => {}, 600_000)
