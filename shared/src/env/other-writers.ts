import { readFileSync, statSync } from 'node:fs'

/**
 * Who can write a file beside its owner: `everybody`, or `its group`; undefined where nobody can. The group that a system
 * gives each user alone (Debian's adduser, with umask 002) is nobody else. A file that is not there has no writers.
 */
export function otherWriters(path: string): string | undefined {
  if (process.platform === 'win32') return undefined
  const state = statSync(path, { throwIfNoEntry: false })
  if (!state) return undefined
  if ((state.mode & 0o002) !== 0) return 'everybody'
  return (state.mode & 0o020) !== 0 && !isPrivateGroup(state.gid, state.uid) ? 'its group' : undefined
}

/** Whether a group has the name and the id of its only member. What cannot be read is not known to be one. */
function isPrivateGroup(gid: number, uid: number): boolean {
  const group = records('/etc/group').find(([, , id]) => id === String(gid))
  const users = records('/etc/passwd')
  const owner = users.find(([, , id]) => id === String(uid))
  if (group === undefined || owner === undefined || group[0] !== owner[0]) return false
  const others = users.filter(([name, , , primary]) => primary === String(gid) && name !== owner[0])
  const listed = (group[3] ?? '').split(',').filter((name) => name !== '' && name !== owner[0])
  return others.length === 0 && listed.length === 0
}

function records(path: string): string[][] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
