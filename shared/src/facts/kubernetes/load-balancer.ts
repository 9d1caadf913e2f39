import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

export interface ServiceAddress {
  readonly type: string
  /** The addresses or names of a load balancer; none as long as it is being made. */
  readonly addresses: readonly string[]
}

/** How a Service is reached from outside; null where there is none. `kubectl get service`. */
export function serviceAddress(namespace: string, name: string): Question<ServiceAddress | null> {
  return {
    command: kubeGet({ kinds: ['service'], names: [name], namespace }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      const { spec, status } = JSON.parse(stdout) as ApiService
      const addresses = (status.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
      return { type: spec.type, addresses }
    },
  }
}

/** The address of a load balancer. Throws while there is none: what needs it is not known until then. */
export function balancerAddress(namespace: string, name: string): Question<{ readonly address: string }> {
  const { command, parse } = serviceAddress(namespace, name)
  return {
    command,
    parse(output) {
      const [address] = parse(output)?.addresses ?? []
      if (address === undefined) throw new Error(`the load balancer of ${name} has no address yet`)
      return { address }
    },
  }
}

interface ApiService {
  spec: { type: string }
  status: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}
