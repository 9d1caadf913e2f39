import { until } from '../support/wait.ts'
import type { KubeLab } from './kube/kube.ts'

/** Asks the bot again and again for as long as some work takes: what it did not answer well, and how often it did. */
export async function servedDuring<T>(kube: KubeLab, work: Promise<T>): Promise<{ good: number; bad: string[] }> {
  const path = '/api/v1/namespaces/discord-bot/services/discord-bot:http/proxy/ready'
  const bad: string[] = []
  let [good, over] = [0, false]
  const end = () => {
    over = true
  }
  void work.then(end, end)
  const sample = async () => {
    const { status, text } = await kube.api.send('GET', path)
    if (status === 200 && text === 'ready\n') good += 1
    else bad.push(`${status} ${text}`)
    return over || undefined
  }
  await until('the end of the work', 600_000, sample, 40)
  return { good, bad }
}
