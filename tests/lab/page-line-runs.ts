import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type PageLine, typed } from './page-lines.ts'
import { type Pod, podSettings } from './pod-setup.ts'
import { type Result, run } from './run.ts'

/** Judges how a line of the pages ended. */
export function expectEnd({ code, stdout, stderr }: Result, { ends = [0], says = /^/ }: PageLine): void {
  expect([code, stdout + stderr]).toEqual([expect.toSatisfy((one) => ends.includes(one)), expect.stringMatching(says)])
}

/** Types a line on the host of a pod, as root or as its user. */
export async function typeOnHost({ host }: Pod, text: string, line: PageLine): Promise<void> {
  const { before = 'true', as, follows } = line
  const shell = `timeout -s INT ${follows ? 1 : 60} ${as === undefined ? '' : `runuser -u ${as} -- `}bash`
  expectEnd(await host.exec(`${before}; cd /; ${shell} <<'END' 2>&1\n${typed(text, line)}\nEND`), line)
}

/** Types a line of ssh on this machine, where the pod's key is the one of the pages. */
export async function typeTowardsHost(pod: Pod, text: string, line: PageLine): Promise<void> {
  const { VALENCE_SSH_PRIVATE_KEY_FILE: key = '' } = podSettings(pod.host)
  const home = join(pod.root, 'home')
  await mkdir(join(home, '.ssh'), { recursive: true })
  for (const end of ['', '.pub']) await copyFile(`${key}${end}`, join(home, `.ssh/valence_pod${end}`))
  // ssh takes the home of the user, not HOME, for what it finds by itself.
  const known = `-o UserKnownHostsFile=${join(home, 'known_hosts')} -o StrictHostKeyChecking=accept-new`
  const ssh = `ssh() { command ssh -i ${key} ${known} -o BatchMode=yes "$@"; }`
  const words = ['-s', 'INT', line.follows ? '2' : '60', 'bash', '-c', `${ssh}\n${typed(text, line)}`]
  const env = { HOME: home, VALENCE_POD_IP: pod.host.address }
  expectEnd(await run('timeout', words, { env, input: 'whoami\n' }), line)
}
