import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from './cache.ts'
import { answer, bodyOf, freePort, listen } from './http.ts'
import { must, run, tether, until } from './run.ts'

/** One request to the fake AWS, as the service was asked: `DynamoDB_20120810.CreateTable`, `PUT /bucket`, … */
export type AwsRequest = { readonly operation: string; readonly writes: boolean; readonly body: string }

/** A fake AWS on this machine's loopback, or where a lab's network reaches it. */
export type Moto = {
  readonly endpoint: string
  /** What a child process needs to talk to it, the aws CLI included. */
  readonly env: Readonly<Record<string, string>>
  /** All requests since the start or the last reset. */
  requests(): readonly AwsRequest[]
  /** Forgets all that was made, and the requests. */
  reset(): Promise<void>
  stop(): Promise<void>
}

const locked = fileURLToPath(new URL('moto-requirements.txt', import.meta.url))

/** A venv with moto's server and the aws CLI, made once (about half a minute); every version is locked. */
export async function motoFolder(): Promise<string> {
  const requirements = await readFile(locked, 'utf8')
  return cached('moto', { version: 1, requirements }, async (folder) => {
    await must('python3', ['-m', 'venv', folder])
    const [program, ...args] = [...tether, join(folder, 'bin/pip'), 'install', '--quiet', '--no-input']
    await must(program, [...args, '--no-deps', '--no-compile', '-r', locked])
  })
}

/**
 * Starts moto's server on a free port, behind a small relay that writes down what is asked. With a cluster's `gateway`
 * as its address, the endpoint is the same for the machine and for the cluster's pods.
 */
export async function startMoto(address = '127.0.0.1'): Promise<Moto> {
  const bin = join(await motoFolder(), 'bin')
  const inner = await freePort()
  const [program, ...args] = [...tether, join(bin, 'python'), join(import.meta.dirname, 'moto-server.py')]
  const server = spawn(program, [...args, '-H', '127.0.0.1', '-p', String(inner)], { detached: true, stdio: 'ignore' })
  server.unref()
  const seen: AwsRequest[] = []
  const relay = await listen([address], 0, (request, response) => {
    pass(inner, request, response, seen).catch((error) => answer(response, 502, `${error}\n`))
  })
  const endpoint = `http://${address}:${relay.port}`
  await until('moto', 60_000, async () => {
    if (server.exitCode !== null) throw new Error(`lab: moto ended with ${server.exitCode}`)
    return (await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined))?.ok || undefined
  })
  const hasAws = (await run('sh', ['-c', 'aws --version'])).code === 0
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_SESSION_TOKEN: 'testing',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      // Nothing of the machine's own account may be read, and no metadata service asked.
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      PATH: hasAws ? (process.env.PATH ?? '') : `${process.env.PATH}:${bin}`,
    },
    requests: () => [...seen],
    reset: async () => {
      await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' })
      seen.length = 0
    },
    stop: async () => {
      await relay.stop()
      server.ref() // so that its end is waited for
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGKILL')
      await ended
    },
  }
}

async function pass(port: number, request: IncomingMessage, response: ServerResponse, seen: AwsRequest[]) {
  const body = await bodyOf(request)
  const path = request.url ?? '/'
  if (!path.startsWith('/moto-api/')) seen.push(describeRequest(request, path, body.toString()))
  const options = { host: '127.0.0.1', port, path, method: request.method, headers: request.headers }
  await new Promise<void>((resolve, reject) => {
    const onward = send(options, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
      reply.on('end', () => resolve())
    })
    onward.on('error', reject)
    onward.end(body)
  })
}

// Three dialects: a target header (DynamoDB, ECR), an Action in a form (IAM, STS), plain REST (S3).
function describeRequest(request: IncomingMessage, path: string, body: string): AwsRequest {
  const target = request.headers['x-amz-target']
  const action = new URLSearchParams(body).get('Action')
  const operation = String(target ?? action ?? `${request.method} ${path}`)
  const verb = operation.split('.').at(-1) ?? ''
  const writes =
    target || action
      ? !/^(Describe|List|Get|BatchGet|BatchCheck|Head|Query|Scan)/.test(verb)
      : !/^(GET|HEAD)$/.test(request.method ?? '')
  return { operation, writes, body }
}
