import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { podAnswer } from '@infra/shared/facts/kubernetes/answers'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { findObject, ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { storeWorkloads } from '../manifests/stores.ts'
import { releaseOf } from '../releases.ts'
import { caddyService, stoatServices, stores, webService } from '../services.ts'
import { brokerSeconds, storeChecks } from './stores.ts'

const own = ownObjects('stoat')
const look = (app: string) =>
  `npm run status -w stoat; kubectl describe pod -n ${namespace} -l app=${app}; kubectl logs -n ${namespace} -l app=${app} --previous`

/** Whether everything runs: that the programs answer says nothing of their stores, which is looked at from outside. */
export function insideChecks(context: StoatContext): readonly Check[] {
  const { env, kube } = context
  const available = (script: string, kind: 'Deployment' | 'StatefulSet', name: string) =>
    check(kube, {
      id: `${script}.${name.replace('stoat-', '')}`,
      about: `${kind} ${name} is available`,
      remedy: look(name),
      ask: { own },
      judge({ own }) {
        const found = findObject(own, { kind, namespace, name })
        if (!found) return fail('there is none')
        if (found.replicas === 0) return warn('it is scaled to 0')
        const count = kind === 'Deployment' ? found.available : found.ready
        const told = `${count} of ${found.replicas} available`
        return count < found.replicas ? fail(told) : ok(told)
      },
    })
  return [
    ...storeWorkloads(env).map((workload) => available('datastores', 'StatefulSet', workload.replace(/^.*\//, ''))),
    ...storeChecks(context),
    ...Object.values(stoatServices).map(({ name }) => available('services', 'Deployment', name)),
    available('services', 'Deployment', webService.name),
    youngerCheck(kube),
    brokerCheck(context),
    available('gateway', 'Deployment', caddyService.name),
  ]
}

function youngerCheck(kube: StoatContext['kube']): Check {
  const names = [stoatServices.crond.name, stoatServices.pushd.name, stoatServices.api.name]
  const broker = stores.rabbitmq.name
  return check(kube, {
    id: 'services.broker-connection',
    about: 'api, crond and pushd started after RabbitMQ: they do not connect again',
    remedy: 'npm run deploy -w stoat -- --tags services restarts them.',
    ask: { starts: containerStarts(namespace) },
    judge({ starts }) {
      const since = starts.get(broker)?.newest
      if (since === undefined) return fail(`${broker} does not run`)
      const old = names.filter((name) => (starts.get(name)?.oldest ?? since) < since)
      return old.length > 0 ? fail(`older than it: ${old.join(', ')}`) : ok('all younger')
    },
  })
}

function brokerCheck({ env, kube }: StoatContext): Check {
  const { exchanges, queues } = releaseOf(env).declares
  const list = (what: string) => `rabbitmqctl -q list_${what} name`
  const script = `{ ${list('exchanges')}; ${list('queues')}; } | tr '\\n' ' '`
  return check(kube, {
    id: 'services.exchanges',
    about: 'what crond and pushd declare for the api is there',
    remedy: `${look(stoatServices.pushd.name)}; npm run restart -w stoat -- crond pushd api declares them.`,
    ask: {
      answer: podAnswer(namespace, `${stores.rabbitmq.name}-0`, ['sh', '-c', script], { seconds: brokerSeconds }),
    },
    judge({ answer }) {
      if (!answer.ok) return fail(answer.text)
      const found = answer.text.split(/\s+/)
      const lacking = [...exchanges, ...queues].filter((name) => !found.includes(name))
      return lacking.length > 0 ? fail(`not there: ${lacking.join(', ')}`) : ok(`${found.length} names`)
    },
  })
}
