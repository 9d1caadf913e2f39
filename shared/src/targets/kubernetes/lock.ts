import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, type Output, plainText } from '../../command/command.ts'
import { raw, sh, withStdin } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import type { Lock, LockRequest } from '../../engine/target.ts'
import { isGone, processIdentity, startedBy } from '../run-identity.ts'
import { addToRunLog } from './run-log.ts'

/** Runs kubectl in the cluster that is to be locked. */
export type Kubectl = (command: Command) => Promise<Output>

/** A lock that tells whether it is still ours, and is told whether anything was run under it. */
export interface KubeLock extends Lock {
  readonly lost: boolean
  isUsed: boolean
}

// Where every cluster has leases already. Gone with its holder: it lives as long as somebody renews it.
const [namespace, name] = ['kube-system', 'infra']
const idKey = 'infra/holder-id'
/** Which process holds it, so that one of this machine that was killed need not be waited for. */
const processKey = 'infra/holder-process'

/** A holder that gave no sign of life for so many seconds is gone; how often one is given. */
const expiry = 120
const heartbeat = 20
/** How long to wait, in seconds, for what a killed run left running here. */
const timeoutSeconds = 600

interface Lease {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly holderIdentity?: string; readonly renewTime?: string }
}

/**
 * Takes the lock of a cluster, a Lease: its creation is the atomic part, and taking over an expired one succeeds for one
 * only, who saw its newest version. Throws a `locked` failure when another holds it for longer than we wait.
 */
export async function takeKubeLock(kubectl: Kubectl, request: LockRequest): Promise<KubeLock> {
  const { holder, timeout, waiting } = request
  const id = randomUUID()
  const end = Date.now() + timeout * 1000
  for (let told = false; ; ) {
    if (await grab(kubectl, id, holder)) return keep(kubectl, id, request)
    const lease = await readLease(kubectl)
    const other = lease ? describeLease(lease) : ''
    if (lease && isExpired(lease)) {
      await othersEnd(lease, waiting)
      if (await grab(kubectl, id, holder, lease.metadata.resourceVersion)) return keep(kubectl, id, request)
    } else if (lease) {
      if (!told) waiting(other)
      told = true
      if (Date.now() >= end)
        throw new Failure('locked', `another run holds the lock: ${other}`, {
          remedy:
            'Wait for it (--lock-timeout SECONDS), or, when you know that it is gone, remove it with the unlock command.',
        })
    }
    await pause(1000)
  }
}

/** The words of the lock's holder; undefined where nobody holds it. */
export async function kubeLockHolder(kubectl: Kubectl): Promise<string | undefined> {
  const lease = await readLease(kubectl)
  return lease && describeLease(lease)
}

/** Removes the lock, whoever holds it; gives the holder's words, or undefined when there was none. */
export async function breakKubeLock(kubectl: Kubectl): Promise<string | undefined> {
  const lease = await readLease(kubectl)
  if (lease) await sure(kubectl, sh`kubectl delete lease ${name} -n ${namespace} --ignore-not-found`)
  return lease && describeLease(lease)
}

/** Makes the Lease, or takes over the version that was seen; false when another was faster. */
async function grab(kubectl: Kubectl, id: string, holder: string, version?: string): Promise<boolean> {
  const now = timestamp()
  const annotations = { [idKey]: id, [processKey]: processIdentity() ?? '' }
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, annotations, ...(version && { resourceVersion: version }) },
    spec: { holderIdentity: holder, leaseDurationSeconds: expiry, acquireTime: now, renewTime: now },
  }
  const verb = version === undefined ? raw('kubectl create -f -') : raw('kubectl replace -f -')
  const output = await kubectl(withStdin(verb, plainText(JSON.stringify(lease))))
  if (output.code === 0) return true
  if (/AlreadyExists|Conflict|NotFound/.test(output.stderr)) return false
  throw new Failure('error', 'the lock of the cluster cannot be taken', { detail: [output.stderr.trim()] })
}

function keep(kubectl: Kubectl, id: string, { entry, warn }: LockRequest): KubeLock {
  let lost = false
  const beat = async () => {
    const ours = { op: 'test', path: `/metadata/annotations/${idKey.replace('/', '~1')}`, value: id }
    const patch = JSON.stringify([ours, { op: 'replace', path: '/spec/renewTime', value: timestamp() }])
    const output = await kubectl(sh`kubectl patch lease ${name} -n ${namespace} --type=json -p ${patch}`)
    // A server that is away for a moment takes no lock from us: it expires by its time.
    if (output.code !== 0 && /NotFound|Invalid|test failed|testing/.test(output.stderr)) lost = true
  }
  const timer = setInterval(() => void beat().catch(() => {}), heartbeat * 1000)
  timer.unref()
  return {
    isUsed: false,
    get lost() {
      return lost
    },
    async release(result) {
      clearInterval(timer)
      const lease = await readLease(kubectl)
      if (lease?.metadata.annotations?.[idKey] !== id) return
      // That the line cannot be kept must not keep the lock.
      if (entry !== undefined && result !== undefined && this.isUsed)
        await addToRunLog(kubectl, entry, result).catch((error: Error) => warn?.(`this run: ${error.message}`))
      await sure(kubectl, sh`kubectl delete lease ${name} -n ${namespace} --ignore-not-found`)
    },
  }
}

async function readLease(kubectl: Kubectl): Promise<Lease | undefined> {
  const { stdout } = await sure(kubectl, sh`kubectl get lease ${name} -n ${namespace} --ignore-not-found -o json`)
  return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Lease)
}

async function sure(kubectl: Kubectl, command: Command): Promise<Output> {
  const output = await kubectl(command)
  if (output.code === 0) return output
  throw new Failure('error', 'the lock of the cluster cannot be looked at', { detail: [output.stderr.trim()] })
}

/** A change that outlives its run is waited for, and not begun a second time beside it. */
async function othersEnd({ metadata }: Lease, waiting: LockRequest['waiting']): Promise<void> {
  const process = metadata.annotations?.[processKey] ?? ''
  if (!isGone(process) || startedBy(process).length === 0) return
  waiting('a change that an interrupted run left running')
  const end = Date.now() + timeoutSeconds * 1000
  while (startedBy(process).length > 0 && Date.now() < end) await pause(200)
}

const isExpired = ({ spec, metadata }: Lease): boolean =>
  !(Date.now() - Date.parse(spec.renewTime ?? '') <= expiry * 1000) || isGone(metadata.annotations?.[processKey] ?? '')

const describeLease = ({ spec }: Lease): string =>
  `${spec.holderIdentity ?? 'somebody'}, last seen ${(spec.renewTime ?? 'never').replace(/\.\d+Z$/, 'Z')}`

/** Microseconds, as a Lease wants them. */
const timestamp = (): string => new Date().toISOString().replace('Z', '000Z')
