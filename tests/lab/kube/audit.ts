import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { until } from '../run.ts'
import type { KubeApi } from './api.ts'

/** Requests that write, told together where all of this is the same. */
export type AuditWrite = {
  readonly verb: string
  /** `deployments.apps`, `pods`, or with a subresource `serviceaccounts/token`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly user: string
  /** The program alone: `kubectl`, `terraform`. */
  readonly agent: string
  readonly status: number
  readonly count: number
}

/** A place in the audit log. */
export type AuditMark = number

type Event = {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly userAgent?: string
  readonly responseStatus?: { readonly code: number }
  readonly objectRef?: {
    readonly resource: string
    readonly subresource?: string
    readonly apiGroup?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/**
 * The place up to which the audit log is written now: all requests answered before are in it. The log is read up to
 * a question of our own, since a client may have its answer a moment before the line is there.
 */
export async function auditMark(file: string, api: KubeApi, from = 0): Promise<{ mark: AuditMark; text: string }> {
  const word = randomUUID()
  await api.ask('GET', `/version?mark=${word}`)
  return until('the audit log', 10_000, async () => {
    const text = await readFrom(file, from)
    return text.includes(word) ? { mark: from + Buffer.byteLength(text), text } : undefined
  })
}

/** What was written since a mark by anybody but the cluster's own programs and the lab; dry runs write nothing. */
export async function auditWrites(file: string, api: KubeApi, since: AuditMark): Promise<readonly AuditWrite[]> {
  const { text } = await auditMark(file, api, since)
  return readAudit(text)
}

/** Reads lines of an audit log. */
export function readAudit(text: string): readonly AuditWrite[] {
  const found = new Map<string, AuditWrite>()
  for (const line of text.split('\n').filter(Boolean)) {
    const write = writeOf(JSON.parse(line) as Event)
    if (write === undefined) continue
    const key = JSON.stringify(write)
    found.set(key, { ...write, count: (found.get(key)?.count ?? 0) + 1 })
  }
  return [...found.values()]
}

const reads = ['get', 'list', 'watch']
// Questions in the shape of objects, and doors to a pod.
const questions = /reviews\.|\/(exec|attach|portforward|proxy)$/
const ownUsers = /^system:(?!serviceaccount:)|^system:serviceaccount:kube-system:/

function writeOf({ verb, requestURI, user, userAgent = '', responseStatus, objectRef: ref }: Event) {
  if (ref === undefined || reads.includes(verb) || ownUsers.test(user.username)) return undefined
  if (new URL(requestURI, 'http://api').searchParams.has('dryRun')) return undefined
  const resource =
    [ref.resource, ref.apiGroup].filter(Boolean).join('.') + (ref.subresource ? `/${ref.subresource}` : '')
  if (questions.test(resource)) return undefined
  return {
    ...{ verb, resource, namespace: ref.namespace ?? '', name: ref.name ?? '', user: user.username },
    ...{ agent: userAgent.split('/')[0] ?? '', status: responseStatus?.code ?? 0, count: 0 },
  }
}

async function readFrom(file: string, from: number): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.max(0, size - from))
    await handle.read(buffer, 0, buffer.length, from)
    // Only whole lines: one may be half written.
    const text = buffer.toString()
    return text.slice(0, text.lastIndexOf('\n') + 1)
  } finally {
    await handle.close()
  }
}
