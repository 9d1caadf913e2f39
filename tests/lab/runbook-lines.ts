import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { project } from '../support/cli.ts'
import { shellBlocks } from '../unit/project/shell-blocks.ts'

/** How the lines of docs/runbook.md for the pod's host begin. A unit test knows that none is missing. */
export const runbookLines = {
  certificates: 'sudo certbot certificates',
  timers: 'sudo systemctl list-timers',
  superuser: "sudo -u postgres env PGOPTIONS='-c search_path=pg_catalog -c session_replication_role",
  owner: 'sudo -u valence psql',
  health: "sudo -u valence bash -c 'source",
  stop: 'sudo systemctl stop matrix-synapse',
  copyIn: "sudo sh -c 'cd /; runuser -u postgres -- pg_dump",
  reassign: "sudo -u postgres env PGOPTIONS='-c search_path=pg_catalog' psql -c 'REASSIGN",
  fromSqlite: 'sudo -u matrix-synapse /opt/venvs/matrix-synapse/bin/synapse_port_db',
  dump: "sudo sh -c 'umask 077; cd / && runuser -u valence -- pg_dump",
  rename: "sudo -u postgres psql -d postgres -c 'ALTER DATABASE",
  restore: "sudo sh -c 'cd / && runuser -u valence -- pg_restore",
} as const

/** All lines of the runbook's shell blocks for the host. */
export const hostLines: readonly string[] = shellBlocks(readFileSync(join(project, 'docs/runbook.md'), 'utf8'))
  .flat()
  .map(({ text }) => text)
  .filter((text) => text.startsWith('sudo'))

/** A line as the runbook has it, with other words for those of its examples. */
export function runbookLine(name: keyof typeof runbookLines, words: Readonly<Record<string, string>> = {}): string {
  const found = hostLines.find((text) => text.startsWith(runbookLines[name]))
  if (found === undefined) throw new Error(`docs/runbook.md has no line ${runbookLines[name]} …`)
  return Object.entries(words).reduce((text, [word, by]) => text.replaceAll(word, by), found)
}
