import { byLine, start } from '@infra/shared/targets/process'
import { isFrame, type Program, utf8 } from '@infra/shared/targets/ssh/program'

interface Sent {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Feeds a program to a shell of this machine, as sshd does, to its end: what it printed, a character for each byte. */
export async function sendHere(
  { source }: Pick<Program, 'source'>,
  shell = 'exec sh -s',
  hear: (line: string) => void = () => {},
): Promise<Sent> {
  const said = { stdout: '', stderr: '' }
  const lines = byLine((line) => isFrame(line) || hear(utf8(line)))
  const taking = (stream: 'stdout' | 'stderr') => (chunk: string) => {
    said[stream] += chunk
    lines(chunk)
  }
  const streams = { stdout: taking('stdout'), stderr: taking('stderr'), encoding: 'latin1' } as const
  const running = start(['sh', '-c', shell], streams)
  running.write(source)
  running.end()
  return { code: await running.ended, ...said }
}
