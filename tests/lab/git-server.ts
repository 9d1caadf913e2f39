import { spawn } from 'node:child_process'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { labName } from './authority.ts'
import { type DeployKeyServer, startDeployKeyServer } from './git-ssh.ts'
import { answer, listen } from './http.ts'
import { type Commits, makeValenceRepository } from './valence-repository.ts'

export type GitRequest = { readonly method: string; readonly url: string; readonly authorized: boolean }

/** A git server with the stand-in for Valence, reachable from lab hosts in up to three ways. */
export type GitServer = {
  /** Anybody may clone. */
  readonly publicUrl: string
  /** Only with `token`, as the password of any user name. */
  readonly privateUrl: string
  readonly token: string
  /** Only with a deploy key; there when it was asked for. */
  readonly ssh: DeployKeyServer | undefined
  readonly commits: Commits
  /** All http requests so far. */
  requests(): readonly GitRequest[]
  stop(): Promise<void>
}

export type GitServerOptions = {
  readonly hosts: readonly { readonly gateway: string }[]
  /** Fixed, so that a saved host's remote is right for the next server. */
  readonly port?: number
  /** Also serve over ssh with a deploy key, on the next port. */
  readonly ssh?: boolean
}

/** Starts the git server at the gateways of these hosts; `lab.internal` is its name inside each of them. */
export async function gitServer({ hosts, port = 8418, ssh = false }: GitServerOptions): Promise<GitServer> {
  const repository = await makeValenceRepository()
  const token = `lab-${randomBytes(20).toString('hex')}`
  const seen: GitRequest[] = []
  const gateways = hosts.map((host) => host.gateway)
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '/'
    const authorized = holds(request, token)
    seen.push({ method: request.method ?? '', url, authorized })
    const [, area, path = ''] = /^\/(public|private)(\/.*)$/.exec(url) ?? []
    if (area === undefined) return answer(response, 404, 'not found\n')
    if (area === 'private' && !authorized) {
      response.setHeader('www-authenticate', 'Basic realm="lab"')
      return answer(response, 401, 'a token is needed\n')
    }
    // Like every public forge: clone, no push.
    if (/git-receive-pack/.test(path)) return answer(response, 403, 'read only\n')
    return backend(repository.folder, path, request, response)
  }
  const server = await listen(gateways, port, handler)
  const deployKey = ssh ? await startDeployKeyServer(repository.folder, gateways, server.port + 1) : undefined
  return {
    publicUrl: `http://${labName}:${server.port}/public/valence.git`,
    privateUrl: `http://${labName}:${server.port}/private/valence.git`,
    token,
    ssh: deployKey,
    commits: repository.commits,
    requests: () => [...seen],
    stop: async () => {
      await server.stop()
      await deployKey?.stop()
      await repository.remove()
    },
  }
}

function holds(request: IncomingMessage, token: string): boolean {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
  const password = Buffer.from(
    Buffer.from(encoded, 'base64')
      .toString()
      .replace(/^[^:]*:/, ''),
  )
  const wanted = Buffer.from(token)
  return password.length === wanted.length && timingSafeEqual(password, wanted)
}

// git's own server program, as any web server would run it (CGI).
function backend(folder: string, path: string, request: IncomingMessage, response: ServerResponse): void {
  const [file = '', query = ''] = path.split('?')
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: file,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
  })
  child.stdin.on('error', () => {})
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    child.stdout.off('data', onData)
    let status = 200
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s)
      if (name === 'Status') status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.write(head.subarray(end + 4))
    child.stdout.pipe(response)
  }
  child.stdout.on('data', onData)
  child.on('error', () => answer(response, 500, 'git http-backend did not start\n'))
  child.on('close', () => response.end())
}
