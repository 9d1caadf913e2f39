import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { cacheFolder } from './cache.ts'
import { type LabPart, type Missing, missing } from './prerequisites.ts'

/** Where slow things are kept, as it is told. */
export const cachePlace = (): string => cacheFolder().replace(homedir(), '~')

const apt = 'apt-get install -y '

/** Whether the machine has all that a rehearsal needs; else tells what it lacks, and installs it when `agree` says so. */
export async function prepareMachine(
  parts: readonly LabPart[],
  agree: (question: string) => Promise<boolean>,
): Promise<boolean> {
  const lacks = missing(...parts)
  if (lacks.length === 0) return true
  console.log('This machine lacks:')
  for (const { what } of lacks) console.log(`  ${what}`)
  const { command, byHand } = remedies(lacks)
  if (byHand.length > 0) {
    console.log(`\nFirst: ${byHand.join('; ')}`)
    return false
  }
  console.log(`\nThis installs it:\n  ${command}\n`)
  if (!(await agree('Install it now?'))) return false
  if (!(await shell(`apt-get update && ${command}`))) return false
  return missing(...parts).length === 0
}

/** One apt command for all packages, and what no package brings. */
function remedies(lacks: readonly Missing[]): { command: string; byHand: readonly string[] } {
  const packages = lacks
    .filter(({ install }) => install.startsWith(apt))
    .map(({ install }) => install.slice(apt.length))
  const others = lacks.filter(({ install }) => !install.startsWith(apt)).map(({ install }) => install)
  return { command: `${apt}${[...new Set(packages)].sort().join(' ')}`, byHand: [...new Set(others)] }
}

function shell(command: string): Promise<boolean> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const child = spawn('sh', ['-c', command], { stdio: 'inherit', env })
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)))
}
