import { Failure } from '../../engine/failure.ts'
import type { KubeAccess } from './kubeconfig.ts'
import type { KubectlOptions } from './kubectl.ts'

/** The way into a cluster, as far as it is known to be the intended one. */
export interface ProvenAccess {
  /** Undefined as long as there is none, or nobody has verified it. */
  known(): KubeAccess | undefined
  /** The same, verified first where that is not known yet. */
  verified(): Promise<KubeAccess | undefined>
  /** The failure of what needs a way where there is none. */
  missing(): Failure
}

/** Verifies each way into a cluster once. */
export function provenAccess(options: KubectlOptions): ProvenAccess {
  let proven: string | undefined
  let obtained: Promise<void> | undefined
  const isProven = (access: KubeAccess) => !options.verifyCluster || identityOf(access) === proven
  return {
    known() {
      const access = options.access()
      return access && isProven(access) ? access : undefined
    },
    async verified() {
      // Only before the first look: later ones would be in the way of the step that makes the cluster.
      obtained ??= options.access() ? Promise.resolve() : Promise.resolve(options.obtainAccess?.())
      await obtained
      const access = options.access()
      if (!access || isProven(access)) return access
      if (!(await options.verifyCluster?.(access))) return undefined
      proven = identityOf(access)
      return access
    },
    missing() {
      const other = options.access()
      const name = options.placeholderName
      const what = other
        ? `${other.files} leads to another cluster than ${name}`
        : `there is no kubeconfig for ${name} yet`
      return new Failure('error', what, {
        remedy: options.renewedBy
          ? `${options.renewedBy} writes it; or set KUBECONFIG and KUBE_CONTEXT.`
          : 'Set KUBECONFIG and KUBE_CONTEXT.',
      })
    },
  }
}

const identityOf = ({ files, context, server, doks }: KubeAccess): string => [files, context, server, doks].join('\n')
