import { type Command, nothing, type Output } from '../../command/command.ts'
import { isKubeGet } from '../../command/kube-get.ts'
import { quote, type Shell } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import type { Target } from '../../engine/target.ts'
import { blank } from '../blank.ts'
import { inOrder } from '../in-order.ts'
import type { ByteProcess } from '../process.ts'
import { startApiProxy } from './api-proxy.ts'
import { type Ask, askDiffs, type OpenManifests, unanswered } from './ask-diffs.ts'
import { caller, kubectlEnv, startIn } from './call.ts'
import { isDiff } from './diffs.ts'
import { type KubeAccess, userKubeconfig } from './kubeconfig.ts'
import { breakKubeLock, type Kubectl, type KubeLock, kubeLockHolder, takeKubeLock } from './lock.ts'
import { fillValues, holdsValue, type OpenValue } from './open-values.ts'
import { provenAccess } from './proven-access.ts'
import { combinedReads } from './reads.ts'
import { readRunLog } from './run-log.ts'

export interface KubectlOptions {
  /** Which cluster; undefined as long as there is no kubeconfig, because an earlier step makes it. Looked up anew each time. */
  access(): KubeAccess | undefined
  /** Makes a way into a cluster that is there already. Asked once, before the first look, where there is none. */
  obtainAccess?(): Promise<void>
  /**
   * Says whether a way leads to the cluster that is meant, where only somebody else knows. Asked before a way is used for
   * the first time; one that does not is useless.
   */
  verifyCluster?(access: KubeAccess): Promise<boolean>
  /** How it is called until then. */
  readonly placeholderName: string
  /** The command that writes its kubeconfig, for messages; undefined where it is the user's own. */
  readonly renewedBy?: string
  /** Where kubectl keeps what it knows of the API: without it every process asks for all of it again. */
  readonly cache: string
  /** More variables for every command. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Variables for doctl, where a kubeconfig signs in by it. */
  readonly doctlEnv?: Readonly<Record<string, string | undefined>>
  /** Variables for commands that the aws CLI takes part in. */
  readonly awsEnv?: Readonly<Record<string, string | undefined>>
  /** By what the aws CLI in these commands acts as the account's target does. */
  credentialEnv?(): Promise<Readonly<Record<string, string | undefined>>>
  /** Values that only become known in the course of a run, by the text that stands for them in manifests. */
  readonly values?: Readonly<Record<string, OpenValue>>
}

/** A cluster, which also runs what bytes are sent through. */
export interface KubeTarget extends Target {
  /** Starts a command whose streams are bytes: a dump, which is no text. What is sent and read is nobody's to log. */
  stream(command: Shell): Promise<ByteProcess>
}

export const isKube = (target: Target): target is KubeTarget => 'stream' in target

/**
 * A cluster reached by kubectl on this machine. Questions run side by side, those about manifests in one process;
 * commands run in order. Manifests and secrets go by stdin only.
 */
export function kubernetes(options: KubectlOptions): KubeTarget {
  const { values = {} } = options
  const { known, verified, missing } = provenAccess(options)
  const call = caller(options)
  const read = combinedReads(
    (access, command) => call(access, command),
    (access) => startApiProxy(access.context, kubectlEnv(options, access)),
  )
  let held: KubeLock | undefined
  /** What a look into the cluster gives; undefined where there is none yet. */
  const looked = async <T>(look: (kubectl: Kubectl) => Promise<T>): Promise<T | undefined> => {
    const access = await verified()
    if (!access && options.access()) throw missing()
    return access && look((command) => call(access, command))
  }

  return {
    get name() {
      const access = known()
      if (!access) return options.placeholderName
      return `kubernetes ${access.cluster} (context ${access.context}) at ${access.server}`
    },
    blank: false,
    get notCreatedYet() {
      return known() === undefined
    },
    typed: ({ line }) => typedLine(known(), line),
    remedyToType: (remedy) => remedyFor(known(), remedy),
    // What stands in the way of that is told when something is asked.
    identify: () => verified().then(ignore, ignore),
    async ask(questions) {
      const access = await verified()
      if (!access) return questions.map(() => nothing)
      const ask: Ask = (command, stdin) =>
        isKubeGet(command) ? read(access, command) : call(access, command, { ...(stdin && { stdin }) })
      return askAll(questions, ask, {
        fill: (question) => fillValues(values, question, true),
        isOpen: (object) => holdsValue(values, object),
      })
    },
    async run(commands, hear) {
      const access = await verified()
      if (!access) throw missing()
      return inOrder(commands, async (command) => {
        if (held?.lost)
          throw new Failure('locked', 'the lock was lost: another run may be at work', { remedy: 'Run again.' })
        if (held) held.isUsed = true
        const ready = await fillValues(values, command, false)
        if (typeof ready === 'string')
          throw new Failure('error', ready, { remedy: 'An earlier script makes it: run without --tags.' })
        return call(access, ready, { hear, during: ready.line.split('\n')[0]?.slice(0, 80) ?? '' })
      })
    },
    async stream(command) {
      const access = await verified()
      if (!access) throw missing()
      return startIn(options, access, command)
    },
    async lock(request) {
      const access = await verified()
      // A cluster that is yet to be made has nobody at work in it.
      if (!access) return { release: async () => {} }
      const lock = await takeKubeLock((command) => call(access, command), request)
      held = lock
      return {
        async release(result) {
          held = undefined
          // What was destroyed took the lock along.
          if (known()) await lock.release(result)
        },
      }
    },
    entries: async () => (await looked(readRunLog)) ?? '',
    holder: () => looked(kubeLockHolder),
    unlock: () => looked(breakKubeLock),
    close: async () => {},
  }
}

const ignore = () => {}

function typedLine(access: KubeAccess | undefined, line: string): string {
  if (!access) return line
  const files = access.files === userKubeconfig() ? '' : `KUBECONFIG=${quote(access.files)} `
  return line.replaceAll(/(^|[;&|(]\s*)kubectl /gm, `$1${files}kubectl --context ${quote(access.context)} `)
}

/** The current cluster of whoever types a remedy may be another one than that of the kubeconfig in use. */
function remedyFor(access: KubeAccess | undefined, remedy: string): string {
  const theirs = process.env.KUBECONFIG || userKubeconfig()
  if (!access || access.files === theirs || !/\bkubectl [a-z]/.test(remedy)) return remedy
  return `First, for this cluster: export KUBECONFIG=${quote(access.files)}\n${remedy}`
}

/** Asks side by side. Only questions about manifests wait for the values in these. */
async function askAll(questions: readonly Command[], ask: Ask, open: OpenManifests): Promise<Output[]> {
  const [others, shown] = await Promise.all([
    Promise.all(questions.map(async (one) => (isDiff(one) ? undefined : askFilled(await open.fill(one), ask)))),
    askDiffs(questions.filter(isDiff), ask, open),
  ])
  return others.map((output) => output ?? (shown.shift() as Output))
}

const askFilled = (ready: Command | string, ask: Ask) => (typeof ready === 'string' ? unanswered(ready) : ask(ready))

/** A cluster that shall not be asked: planned as one that has nothing. */
export function blankKubernetes(): Target {
  return blank('a Kubernetes cluster')
}
