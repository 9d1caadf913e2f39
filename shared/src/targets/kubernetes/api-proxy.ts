import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sh } from '../../command/sh.ts'
import { startLine } from '../process.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** What the API server answered to a GET. */
export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

/** Gets a path of the API server; `accept` asks for another form than plain JSON. Rejects when there is no answer. */
export type ApiGet = (path: string, accept?: string) => Promise<ApiAnswer>

/** The API server, to be read from. */
export interface ApiProxy {
  readonly get: ApiGet
  /** Ends the process; what is under way gets no answer. */
  close(): Promise<void>
}

type Env = Readonly<Record<string, string | undefined>>

/** After so many milliseconds of silence a kubectl of its own is asked, which waits longer and whose error is told. */
const patience = 5000

/**
 * Starts a `kubectl proxy`: many reads for the price of one process, which finds its way into the cluster and signs in
 * as every kubectl does. It listens on a socket in a folder that only this user can enter, lets nothing but GET through,
 * and ends with this process, however that ends. Rejects when it does not start.
 */
export async function startApiProxy(context: string, env: Env): Promise<ApiProxy> {
  const folder = temporaryFolder()
  const socketPath = join(folder.path, 'api')
  const proxy = sh`kubectl --context ${context} proxy --unix-socket=${socketPath} --reject-methods=${'^([^G]|G[^E])'}`
  // What reads stdin outlives this process, and sees it end.
  const { line } = sh`exec 3<&0
{ cat <&3; kill $$; rm -rf ${folder.path}; } >/dev/null 2>&1 &
exec ${proxy} 3<&- </dev/null`
  let serves: (() => void) | undefined
  const serving = new Promise<void>((resolve) => {
    serves = resolve
  })
  const running = startLine(line, { env, stdout: () => serves?.(), stderr: () => {} })
  const agent = new Agent({ keepAlive: true })
  const close = async () => {
    agent.destroy()
    running.end()
    await running.ended
    folder.remove()
  }
  const ended = running.ended.then((code) => `it ended with ${code}`)
  const silent = pause(patience, 'it says nothing', { ref: false })
  const fault = await Promise.race([serving, ended, silent])
  if (fault === undefined) return { get: (path, accept) => get({ socketPath, agent, path, accept }), close }
  await close()
  throw new Error(`kubectl proxy: ${fault}`)
}

interface Get {
  readonly socketPath: string
  readonly agent: Agent
  readonly path: string
  readonly accept: string | undefined
}

function get({ accept = 'application/json', ...where }: Get): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    // The proxy answers nobody who calls it by another name.
    const asked = request({ ...where, timeout: patience, headers: { host: 'localhost', accept } }, (answer) => {
      let body = ''
      answer
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          body += chunk
        })
        .on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
        .on('error', reject)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer'))).on('error', reject)
    asked.end()
  })
}
