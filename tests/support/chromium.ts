import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { tempFolder } from './temp.ts'

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** A page in a real Chromium without a window. */
export interface BrowserPage {
  /** What a JavaScript expression gives there, awaited. */
  evaluate(expression: string): Promise<unknown>
  send(method: string, params?: object): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** Opens a file in Chromium, by its DevTools protocol over a pipe: https://chromedevtools.github.io/devtools-protocol/. */
export async function openPage(file: string): Promise<BrowserPage> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe']
  const child = spawn('chromium-headless-shell', [...flags, `--user-data-dir=${tempFolder()}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<number, (reply: Reply) => void>()
  let rest = ''
  let heard: (() => void) | undefined
  const isLoaded = new Promise<void>((resolve) => {
    heard = resolve
  })
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0')
    rest = parts.pop() ?? ''
    for (const reply of parts.map((part) => JSON.parse(part) as Reply)) {
      if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
      if (reply.method === 'Page.loadEventFired') heard?.()
    }
  })
  let count = 0
  const call = (method: string, params: object, sessionId?: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      count += 1
      waiting.set(count, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result ?? {})))
      input.write(`${JSON.stringify({ id: count, method, params, ...(sessionId && { sessionId }) })}\0`)
    })
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params: object = {}) => call(method, params, sessionId as string)
  await send('Page.enable')
  await send('Page.navigate', { url: pathToFileURL(file).href })
  await isLoaded
  return {
    send,
    async evaluate(expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
      return (result as { value: unknown }).value
    },
    async close() {
      await call('Browser.close', {})
      await ended
    },
  }
}
