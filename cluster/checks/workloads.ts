import { nothing } from '@infra/shared/command/command'
import { sayObject } from '@infra/shared/command/kubectl'
import { excerpt } from '@infra/shared/command/secret'
import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { type Pace, type WhenReached, whenReached } from '@infra/shared/engine/reached'
import { allowedAttempts } from '@infra/shared/facts/kubernetes/access'
import { podAnswer, redisConnection, type ServiceAnswer, serviceAnswer } from '@infra/shared/facts/kubernetes/answers'
import { findObject, ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { serverMinor } from '@infra/shared/facts/kubernetes/version'
import { namespace, redisService } from '@infra/shared/platform/names'
import { hoursSince, staleAfterHours } from '@infra/shared/steps/kubernetes/pull-secret'
import { elsewhere } from '@infra/shared/steps/kubernetes/same-region'
import type { ClusterContext } from '../context.ts'
import { pullSecretOptions } from '../manifests/namespace.ts'

const own = ownObjects('cluster')
const again = (tag: string) => `npm run plan -w cluster -- --tags ${tag} tells what differs; deploy makes it.`
const look = (app: string) =>
  `npm run status -w cluster; kubectl describe pod -n ${namespace} -l app=${app}; kubectl logs -n ${namespace} -l app=${app} --previous`

/** What must hold of what runs in the cluster. What was just rolled out is asked again, at the pace of a start-up unless told. */
export function workloadChecks(context: ClusterContext, pace?: Pace): readonly Check[] {
  const { env, kube } = context
  const botAnswer = botAnswers(kube, whenReached(pace))
  const ready = (kind: 'Deployment' | 'StatefulSet', name: string) =>
    check(kube, {
      id: `${name}.available`,
      about: `${kind} ${name} is available`,
      remedy: look(name),
      ask: { own },
      judge({ own }) {
        const found = findObject(own, { kind, namespace, name })
        if (!found) return fail('there is none')
        const told = `${found.available} of ${found.replicas} available`
        if (found.replicas === 0) return warn('it is scaled to 0')
        return found.available < found.replicas ? fail(told) : ok(told)
      },
    })
  const answers = (path: string): Check => ({
    id: `discord-bot.${path.slice(1)}`,
    about: `the bot answers ${path}`,
    remedy: look('discord-bot'),
    async probe() {
      const answer = await botAnswer(path)
      return answer.ok ? ok(excerpt(answer.text, 60)) : fail(answer.text)
    },
  })
  return [
    check(kube, {
      id: 'aws.region',
      about: 'the pods work in the region of AWS_REGION',
      remedy: 'Set AWS_REGION to where everything is; an exported one wins over .env.cluster.',
      ask: { own },
      judge({ own }) {
        const other = elsewhere(own, env.AWS_REGION)
        return other ? fail(`${sayObject(other)} works in ${other.region}`) : ok(env.AWS_REGION)
      },
    }),
    pullSecretAge(kube),
    renewerVersion(context),
    ready('StatefulSet', 'redis'),
    check(kube, {
      id: 'redis.ping',
      about: 'Redis answers',
      remedy: look('redis'),
      ask: { answer: podAnswer(namespace, 'redis-0', ['redis-cli', 'ping']) },
      judge: ({ answer }) => (answer.text === 'PONG' ? ok('PONG') : fail(answer.text)),
    }),
    ready('Deployment', 'discord-bot'),
    answers('/health'),
    answers('/ready'),
    ready('Deployment', 'dev-sandbox'),
    sandboxRights(context),
    sandboxNetwork(kube),
  ]
}

/** A pod is ready a moment before the API server's proxy knows of it; of a bot that has no ready pod no answer is waited for. */
function botAnswers({ ask }: ClusterContext['kube'], reached: WhenReached) {
  return (path: string): Promise<ServiceAnswer> => {
    const answer = serviceAnswer(namespace, 'discord-bot:http', path)
    const statusOf = ({ isReached, isAwaited }: { isReached: boolean; isAwaited: boolean }) =>
      !isReached && isAwaited ? 503 : 200
    return reached(async () => {
      const [told = nothing, objects = nothing] = await ask([answer.command, own.command])
      const bot = findObject(own.parse(objects), { kind: 'Deployment', namespace, name: 'discord-bot' })
      return { ...answer.parse(told), isAwaited: (bot?.available ?? 0) > 0 }
    }, statusOf)
  }
}

function pullSecretAge(kube: ClusterContext['kube']): Check {
  const { name } = pullSecretOptions
  return check(kube, {
    id: 'namespace.pull-secret',
    about: "the pull secret's token is valid",
    remedy: `${again('namespace')} It is renewed every 4 hours: kubectl get jobs -n ${namespace}; kubectl logs -n ${namespace} -l app=ecr-refresh`,
    ask: { own },
    judge({ own }) {
      const found = findObject(own, { kind: 'Secret', namespace, name })
      if (!found) return fail('there is none')
      const hours = hoursSince(found.renewed ?? 0)
      const told = `${hours.toFixed(1)} hours old`
      return hours >= 12
        ? fail(`${told}: ECR's tokens live for 12`)
        : hours >= staleAfterHours
          ? warn(`${told}: it was not renewed`)
          : ok(told)
    },
  })
}

/** kubectl works with a cluster of its own minor version, of the one before and of the one after. */
function renewerVersion({ kube, env }: ClusterContext): Check {
  return check(kube, {
    id: 'namespace.renewer',
    about: 'what renews the pull secret has a kubectl for this version of Kubernetes',
    remedy: 'Set ECR_REFRESH_IMAGE to an image whose kubectl is of the version of the cluster; then deploy.',
    ask: { cluster: serverMinor() },
    judge({ cluster }) {
      if (cluster === null) return fail('there is no cluster')
      const image = env.ECR_REFRESH_IMAGE
      const minor = /:v?1\.(\d+)(\.\d|$|@|-)/.exec(image)?.[1]
      if (minor === undefined) return ok(`Kubernetes 1.${cluster}; ${image} does not tell its version`)
      const told = `kubectl 1.${minor}, Kubernetes 1.${cluster}`
      return Math.abs(Number(minor) - cluster) > 1 ? warn(told) : ok(told)
    },
  })
}

/** Network policies are only words where the cluster's network does not enforce them: a real connection tells. */
function sandboxNetwork(kube: ClusterContext['kube']): Check {
  const sandbox = { workload: 'deployment/dev-sandbox', container: 'dev-sandbox' }
  return check(kube, {
    id: 'dev-sandbox.network',
    about: 'the sandbox does not get through to Redis',
    remedy: `${again('namespace')} Where nothing differs, the cluster's network does not enforce NetworkPolicies: kubectl get networkpolicies -n ${namespace}; kubectl get pods -n kube-system`,
    ask: { own, connection: redisConnection(namespace, sandbox, redisService) },
    judge({ own, connection }) {
      if (typeof connection === 'object') return warn(`not tried: ${connection.untried}`)
      if (connection === 'open') return fail('Redis answered it')
      const redis = findObject(own, { kind: 'StatefulSet', namespace, name: 'redis' })
      return redis?.ready ? ok('no connection') : warn('not tried: Redis itself is not ready')
    },
  })
}

/** What the sandbox shall be allowed, and what not, by how far it sees. */
function sandboxAttempts(scope: ClusterContext['env']['SANDBOX_SCOPE']) {
  const of = (verbs: readonly string[], resources: readonly string[], where: { namespace?: string }) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ verb, resource, ...where })))
  const [look, everywhere, here] = [['get', 'list', 'watch'], {}, { namespace }]
  const inNamespaces = ['pods', 'services', 'deployments.apps', 'jobs.batch']
  const shown = of(look, inNamespaces, scope === 'cluster' ? everywhere : here)
  return {
    may: scope === 'none' ? [] : [...shown, ...(scope === 'cluster' ? of(look, ['nodes'], everywhere) : [])],
    mayNot: [
      ...(scope === 'cluster' ? [] : of(look, [...inNamespaces, 'nodes'], everywhere)),
      ...(scope === 'none' ? shown : []),
      ...[everywhere, here].flatMap((where) => of(look, ['secrets', 'configmaps', 'pods/log'], where)),
      ...of(['create', 'update', 'patch', 'delete'], ['pods', 'secrets', 'configmaps', 'deployments.apps'], here),
      ...of(['create'], ['pods/exec', 'pods/attach', 'pods/portforward', 'serviceaccounts/token'], here),
    ],
  }
}

function sandboxRights({ kube, env }: ClusterContext): Check {
  const { may, mayNot } = sandboxAttempts(env.SANDBOX_SCOPE)
  return check(kube, {
    id: 'dev-sandbox.rights',
    about: 'the sandbox may look, but at nothing that holds a password, and change nothing',
    remedy: `${again('dev-sandbox')} Another role may be bound to it: kubectl get rolebindings,clusterrolebindings -A -o wide | grep sandbox`,
    ask: { allowed: allowedAttempts({ namespace, name: 'sandbox' }, [...may, ...mayNot]) },
    judge({ allowed }) {
      const say = ({ verb, resource, ...where }: { verb: string; resource: string; namespace?: string }) =>
        `${verb} ${resource}${where.namespace === undefined ? ' everywhere' : ''}`
      const lacking = may.filter((_, index) => !allowed[index]).map(say)
      const toomuch = mayNot.filter((_, index) => allowed[may.length + index]).map(say)
      if (toomuch.length > 0) return fail(`it may ${toomuch.join(', ')}`)
      return lacking.length > 0 ? fail(`it may not ${lacking.join(', ')}`) : ok(`${allowed.length} rights asked`)
    },
  })
}
