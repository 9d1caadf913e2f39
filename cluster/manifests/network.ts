import type { KubeObject } from '@infra/shared/command/kubectl'
import { redisClients } from '@infra/shared/platform/names'
import {
  allowIngress,
  anyAddress,
  apiServer,
  denyIngress,
  dns,
  egressOnly,
  publicAddresses,
  toApp,
  toUrl,
} from '@infra/shared/platform/networks'
import { renewer } from './namespace.ts'
import { listens } from './ports.ts'

const [bot, sandbox, redis] = ['discord-bot', 'dev-sandbox', 'redis']
const mcp = [listens.filesystem, listens.git, listens.shell]

export interface NetworkOptions {
  /** Where LiteLLM is. */
  readonly litellm: string
  /** Another AWS API than the real one. */
  readonly awsEndpoint?: string | undefined
  /** Whether the sandbox may ask the API server. */
  readonly sandboxReads: boolean
  /** Networks that the sandbox may reach besides public addresses. */
  readonly sandboxNetworks?: readonly string[] | undefined
}

/**
 * Who may connect to our pods: nobody, but for what is named. And where those may connect to that run what strangers
 * write, or hold a key: never to where a cloud hands out credentials, nor to a store that is not theirs. Pods that are
 * not ours, such as Stoat's in the same namespace, are left alone.
 */
export function networkPolicies(options: NetworkOptions): KubeObject[] {
  const { litellm, awsEndpoint, sandboxReads, sandboxNetworks = [] } = options
  const aws = awsEndpoint === undefined ? [] : [toUrl(awsEndpoint)]
  return [
    denyIngress('deny-ingress', [bot, sandbox, redis, renewer]),
    // The API server's proxy comes from outside the namespace; what is served there is no secret.
    allowIngress('allow-bot-health', { to: bot, ports: [listens.bot] }),
    // By name: a pod that nobody thought of, such as the sandbox or one without a label, is kept out.
    allowIngress('allow-redis', { to: redis, from: redisClients, ports: [listens.redis] }),
    allowIngress('allow-sandbox-mcp', { to: sandbox, from: [bot], ports: mcp }),
    egressOnly('bot-egress', bot, [
      ...[dns, publicAddresses(), toApp(redis, listens.redis), toApp(sandbox, ...mcp), toUrl(litellm)],
      // AWS within a private network is there too.
      ...[anyAddress(443), ...aws],
    ]),
    egressOnly('sandbox-egress', sandbox, [
      ...[dns, publicAddresses(), ...(sandboxReads ? [apiServer] : [])],
      ...sandboxNetworks.map((cidr) => ({ to: [{ ipBlock: { cidr } }] })),
    ]),
    egressOnly('ecr-refresh-egress', renewer, [dns, apiServer, ...aws]),
  ]
}
