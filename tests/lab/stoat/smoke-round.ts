import { spawn } from 'node:child_process'
import { chmod, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Command, type Output, revealText } from '@infra/shared/command/command'
import { runChecks } from '@infra/shared/engine/check'
import { whenReached } from '@infra/shared/engine/reached'
import type { Target } from '@infra/shared/engine/target'
import { sampleEnv } from '@infra/shared/env/sample'
import type { Entrance, Send } from '../../../stoat/checks/entrance.ts'
import { smokeChecks } from '../../../stoat/checks/smoke-checks.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { type StoatEnv, stoatSchema } from '../../../stoat/env/env.ts'
import { scratchFolder } from '../cache.ts'
import { storesProgram } from './go-programs.ts'
import type { Platform, ProgramName } from './platform.ts'

/** The product's own `verify --smoke`, without Kubernetes: the first round stores a canary file, the second one reads it. */
export async function smokeRound(platform: Platform): Promise<void> {
  const [gateway, kube] = [await startGateway(platform), await startKube(platform)]
  try {
    for (const _ of ['stores', 'reads']) {
      const context = { env: sampleEnv(stoatSchema) as StoatEnv, kube, smoke: true } as StoatContext
      const found: string[] = []
      await runChecks(
        smokeChecks(context, (work) => work(gateway.entrance)),
        (event) => {
          if (event.type === 'check' && event.outcome !== 'ok') found.push(`${event.id}: ${event.detail}`)
        },
      )
      if (found.length > 0) throw new Error(found.join('\n'))
    }
  } finally {
    gateway.close()
  }
}

const prefixes: readonly [prefix: string, program: ProgramName][] = [
  ['/api', 'api'],
  ['/autumn', 'autumn'],
  ['/ws', 'events'],
]

/** What Caddy does: programs by the beginnings of paths. */
async function startGateway(platform: Platform): Promise<{ entrance: Entrance; close(): void }> {
  const pass = (asked: IncomingMessage) => {
    const path = asked.url ?? '/'
    const [prefix = '', program = 'api'] = prefixes.find(([prefix]) => path.startsWith(prefix)) ?? []
    const rest = path.slice(prefix.length)
    const to = new URL(rest.startsWith('/') ? rest : `/${rest}`, platform.url(program))
    return request(to, { method: asked.method, headers: { ...asked.headers, host: to.host } })
  }
  const server = createServer((asked, reply) => {
    const passed = pass(asked).on('response', (answer) => {
      reply.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(reply)
    })
    passed.on('error', () => reply.destroy())
    asked.pipe(passed)
  })
  server.on('upgrade', (asked, socket) => {
    socket.on('error', () => socket.destroy())
    const passed = pass(asked).on('upgrade', (answer, other, head) => {
      other.on('error', () => socket.destroy())
      const lines = answer.rawHeaders.flatMap((name, index) =>
        index % 2 ? [] : [`${name}: ${answer.rawHeaders[index + 1]}`],
      )
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      socket.write(head)
      other.pipe(socket).pipe(other)
    })
    passed.on('error', () => socket.destroy())
    passed.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const send = async (path: string, { method = 'GET', headers = {}, body }: Send = {}) => {
    const answer = await fetch(new URL(path, origin), { method, headers, ...(body !== undefined && { body }) })
    const type = answer.headers.get('content-type') ?? ''
    return { status: answer.status, type, location: undefined, body: Buffer.from(await answer.arrayBuffer()) }
  }
  const tls = { servername: origin.hostname }
  const entrance = { shown: 'here', origin, host: origin.host, tls, send, whenReached: whenReached() }
  return { entrance, close: () => void server.close() }
}

/** As much of kubectl as the round needs: a Secret, one ConfigMap, and mongosh in the pod of MongoDB. */
async function startKube(platform: Platform): Promise<Target> {
  const folder = await scratchFolder('kubectl')
  const data = { encryption_key: Buffer.from(platform.settings().fileKey).toString('base64') }
  await writeFile(join(folder, 'secret.json'), JSON.stringify({ data }))
  await symlink(await storesProgram(), join(folder, 'mongosh'))
  await writeFile(join(folder, 'kubectl'), kubectl(folder, [...platform.inside, join(folder, 'mongosh')]))
  await chmod(join(folder, 'kubectl'), 0o755)
  const run = ({ line, stdin }: Command): Promise<Output> => {
    const child = spawn('sh', ['-c', line], { env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    child.stdin.end(stdin ? revealText(stdin) : '')
    return new Promise((resolve) => child.on('close', (code) => resolve({ ...output, code: code ?? 128 })))
  }
  const all = (commands: readonly Command[]) => Promise.all(commands.map(run))
  return { name: 'kubernetes', blank: false, ask: all, run: all, close: async () => {} }
}

const kubectl = (folder: string, mongosh: readonly string[]): string => `#!${process.execPath}
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const { spawnSync } = require('node:child_process')
const [verb, kind] = process.argv.slice(2)
const file = '${folder}/' + kind + '.json'
if (verb === 'get' && existsSync(file)) process.stdout.write(readFileSync(file))
if (verb === 'apply') writeFileSync('${folder}/configmap.json', JSON.stringify(JSON.parse(readFileSync(0)).items[0]))
if (verb === 'exec') {
  const words = process.argv.slice(process.argv.indexOf('--') + 2)
  const [program, ...inside] = ${JSON.stringify(mongosh)}
  const { status } = spawnSync(program, [...inside, ...words], { stdio: 'inherit' })
  process.exit(status ?? 1)
}
`
