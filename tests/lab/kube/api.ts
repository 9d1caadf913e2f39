import { readFile } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { request } from 'node:https'

/** The API server, asked past kubectl. */
export type KubeApi = {
  /** The status and body of one request. */
  send(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly text: string }>
  /** The answer as JSON; an error that is not one of our refusals ends the test. */
  ask<T>(method: string, path: string, body?: object): Promise<T>
  /** Says that something of a list has changed, and once at first; until it is ended. */
  watch(path: string, changed: () => void): () => void
}

/** Opens the API at `https://ADDRESS:6443`. A PATCH is a JSON merge patch. */
export async function openApi(address: string, authorityFile: string, token: string): Promise<KubeApi> {
  const ca = await readFile(authorityFile)
  const send: KubeApi['send'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'user-agent': 'lab' }
      const asked = request({ host: address, port: 6443, ca, method, path, headers, timeout: 60_000 }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        response.on('error', reject)
      })
      asked.on('timeout', () => asked.destroy(new Error(`lab: the API server does not answer ${method} ${path}`)))
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return {
    send,
    ask: async (method, path, body) => {
      const { status, text } = await send(method, path, body)
      if (status >= 300) throw new Error(`lab: ${method} ${path} answered ${status}: ${text.slice(0, 500)}`)
      return JSON.parse(text)
    },
    watch(path, changed) {
      let isWanted = true
      let asked: ClientRequest | undefined
      const open = () => {
        if (!isWanted) return
        const headers = { authorization: `Bearer ${token}`, 'user-agent': 'lab' }
        asked = request({ host: address, port: 6443, ca, path: `${path}?watch=true`, headers }, (response) => {
          response.on('data', changed)
          response.on('error', () => {})
        })
        asked.on('error', () => {})
        asked.on('close', () => setTimeout(open, 500).unref())
        asked.on('socket', (socket) => socket.unref())
        asked.end()
      }
      open()
      return () => {
        isWanted = false
        asked?.destroy()
      }
    },
  }
}
