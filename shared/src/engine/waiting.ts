import { AsyncLocalStorage } from 'node:async_hooks'
import type { Emit } from './events.ts'

/** How often somebody who waits is told what for, in milliseconds. */
const everyMs = 10_000

/** Does work that may take long, and tells again and again what is waited for, first after ten seconds. */
export async function whileWaiting<T>(emit: Emit, what: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now()
  const tell = () => {
    const seconds = Math.round((Date.now() - began) / 1000)
    emit({ type: 'message', level: 'info', text: `waiting for ${what}: ${seconds} s` })
  }
  const timer = setInterval(tell, everyMs)
  timer.unref()
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

const listener = new AsyncLocalStorage<Emit>()

/** Does the work of a command of a workspace: while it waits for an answer of `askOf`, that is told. */
export const tellingWaits = <T>(emit: Emit, work: () => Promise<T>): Promise<T> => listener.run(emit, work)

/** Does {@link whileWaiting} within {@link tellingWaits}, and the work alone elsewhere. */
export function whileAsking<T>(what: string, work: () => Promise<T>): Promise<T> {
  const emit = listener.getStore()
  return emit ? whileWaiting(emit, what, work) : work()
}
