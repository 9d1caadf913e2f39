import { expect } from 'vitest'
import { type PageLine, typed } from './page-lines.ts'
import type { Pod } from './pod-setup.ts'
import type { Result } from './run.ts'

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
