import { setTimeout as pause } from 'node:timers/promises'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { Failure } from '@infra/shared/engine/failure'
import { nearest } from '@infra/shared/env/suggest'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { openForward } from '../checks/port-forward.ts'
import type { StoatContext } from '../context.ts'
import { caddyService, stores } from '../services.ts'
import { urlsOf } from '../urls.ts'

/** What is reached so, and at which port on this machine. */
const places = {
  gateway: { service: caddyService.name, port: caddyService.http.service, local: 8080, what: 'the web client' },
  rabbitmq: { service: stores.rabbitmq.name, port: 15672, local: 15672, what: "RabbitMQ's management" },
  minio: { service: stores.minio.name, port: 9001, local: 9001, what: "MinIO's console" },
} as const

/** `port-forward [gateway|rabbitmq|minio]`: opens it on this machine until Ctrl-C. */
export async function runPortForward(session: Session): Promise<number> {
  const word = session.args[0] ?? 'gateway'
  const names = Object.keys(places)
  if (!Object.hasOwn(places, word)) {
    const near = nearest(word, names)
    throw usage(
      `${word} is not reached by a port-forward`,
      near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`,
    )
  }
  const { service, port, local, what } = places[word as keyof typeof places]
  // Only of the gateway browsers are sent on, to the domain.
  const context = open(session, 'access', word === 'gateway' ? ['STOAT_DOMAIN'] : []).context as StoatContext
  const { STOAT_S3_ENDPOINT: external, STOAT_TLS: tls } = context.env
  if (word === 'minio' && external !== undefined)
    throw usage('there is no MinIO: the files are in another S3', `STOAT_S3_ENDPOINT is ${external}`)
  const chosen = localPort(session.workspaceOptions.port) ?? local
  await assertInside(context)
  const forward = await openForward(context.kube, service, port, chosen)
  const say = (text: string, level: 'info' | 'warn' = 'info') => session.emit({ type: 'message', level, text })
  say(`${what}: http://localhost:${forward.port} (Ctrl-C ends it)`)
  if (word === 'gateway' && (tls === 'gateway' || (tls === 'none' && chosen !== local)))
    say(`STOAT_TLS is ${tls}: Stoat sends browsers on to ${urlsOf(context.env).app}`, 'warn')
  try {
    while (!session.signals.stopping() && !forward.ended()) await pause(200)
  } finally {
    forward.close()
  }
  if (session.signals.stopping()) return session.signals.code() ?? 0
  throw new Failure('error', `the port-forward to ${service} ended`, {
    remedy: 'Its pod may have been replaced (npm run status -w stoat): run the same again.',
  })
}

/** The port of `--port`, on this machine. */
function localPort(text: unknown): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(String(text)) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw usage(`--port ${text} is not a port`, '--port 18080')
  return port
}
