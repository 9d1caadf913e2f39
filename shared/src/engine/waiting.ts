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
