import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** The local addresses that listen on a TCP port, by ss(8): `127.0.0.1`, `[::1]`, `0.0.0.0`, `*`. */
export function listeningAddresses(port: number): Question<readonly string[]> {
  return {
    command: sh`ss -Hltn ${`sport = :${port}`}`,
    parse({ code, stdout, stderr }) {
      if (code !== 0) throw new Error(code === 127 ? 'ss is not installed' : stderr.trim())
      const lines = stdout.split('\n').filter((line) => line.trim() !== '')
      return lines.map((line) => (line.trim().split(/\s+/)[3] ?? '').replace(/:\d+$/, ''))
    },
  }
}
