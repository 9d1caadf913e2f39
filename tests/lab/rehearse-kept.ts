import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endHost, runningHosts, stateFolder } from './lease.ts'
import type { Pod } from './pod-setup.ts'

// Beside the host's own lease: it goes with the host, and with a reboot.
const note = (number: number) => join(stateFolder, 'hosts', String(number), 'rehearsal')

/** Leaves a rehearsed host running, and says how to look inside and how to end it. */
export async function keep({ host, root }: Pod): Promise<string> {
  await writeFile(note(host.number), root)
  await host.keep()
  return `The host is kept. To look inside:
  ssh -i ${host.keyFile} -o UserKnownHostsFile=${root}/.infra/known_hosts root@${host.address}
To run the tool against it:
  INFRA_ROOT=${root} npm run plan -w pod
To end it:
  npm run rehearse -w pod -- --end`
}

/** Ends all kept rehearsals. Returns how many there were. */
export async function endKept(): Promise<number> {
  let ended = 0
  for (const number of await runningHosts()) {
    const root = await readFile(note(number), 'utf8').catch(() => undefined)
    if (root === undefined) continue
    await endHost(number)
    await rm(root, { recursive: true, force: true })
    ended += 1
  }
  return ended
}
