import { readFile } from 'node:fs/promises'
import { type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { answer, bodyOf } from '../http.ts'

/** One request to the registry. */
export type RegistryRequest = {
  readonly method: string
  readonly path: string
  /** Whether it came with a name and a password; `status` tells if they were right. */
  readonly hasLogin: boolean
  readonly status: number
}

type Desired = {
  readonly address: string
  /** The port of the registry itself, on the loopback. */
  readonly inner: number
  /** With `registry.crt` and `registry.key`. */
  readonly folder: string
  readonly account: string
  readonly region: string
  readonly ecr: string | undefined
}

/**
 * Listens where a registry does (https, port 443) and passes everything on. What ECR does beside keeping images is
 * done here: it knows the repository before anything is pushed, and lists the image as soon as the push is answered.
 */
export async function startRelay(desired: Desired) {
  const seen: RegistryRequest[] = []
  const [cert, key] = await Promise.all(['crt', 'key'].map((end) => readFile(join(desired.folder, `registry.${end}`))))
  const server = createServer({ cert, key } as never, (request, response) => {
    pass(desired, request, response, seen).catch((error) => answer(response, 502, `${error}\n`))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(443, desired.address, () => resolve())
  })
  return {
    requests: () => [...seen],
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function pass(desired: Desired, request: IncomingMessage, response: ServerResponse, seen: RegistryRequest[]) {
  const { method = 'GET', url: path = '/' } = request
  const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags)\//.exec(path)?.[1]
  const manifest = method === 'PUT' ? /\/manifests\/([^/]+)$/.exec(path)?.[1] : undefined
  const note = (status: number) => {
    if (request.headers['user-agent'] === 'lab') return
    seen.push({ method, path, hasLogin: request.headers.authorization !== undefined, status })
  }
  const begins = method === 'POST' || manifest !== undefined
  if (desired.ecr !== undefined && repository && begins && !(await isKnown(desired, repository))) {
    note(404)
    const message = `The repository with name '${repository}' does not exist in the registry with id '${desired.account}'`
    response.writeHead(404, { 'content-type': 'application/json' })
    return void response.end(JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message }] }))
  }
  const body = manifest === undefined ? undefined : await bodyOf(request)
  const headers = { ...request.headers, 'x-forwarded-proto': 'https' }
  await new Promise<void>((resolve, reject) => {
    const onward = send({ host: '127.0.0.1', port: desired.inner, path, method, headers }, (reply) => {
      const status = reply.statusCode ?? 502
      const finish = () => {
        note(status)
        response.writeHead(status, reply.headers)
        reply.pipe(response)
        reply.on('end', () => resolve())
      }
      if (status !== 201 || !repository || !manifest || desired.ecr === undefined) return finish()
      const imageDigest = String(reply.headers['docker-content-digest'])
      tellEcr(desired, { repositoryName: repository, imageDigest, imageManifest: String(body) }, manifest).then(
        finish,
        reject,
      )
    })
    onward.on('error', reject)
    if (body === undefined) request.pipe(onward)
    else onward.end(body)
  })
}

const isKnown = async (desired: Desired, repository: string): Promise<boolean> =>
  (await ecr(desired, 'DescribeRepositories', { registryId: desired.account, repositoryNames: [repository] })).ok

type Pushed = { readonly repositoryName: string; readonly imageManifest: string; readonly imageDigest: string }

async function tellEcr(desired: Desired, image: Pushed, reference: string): Promise<void> {
  const tag = reference.startsWith('sha256:') ? {} : { imageTag: reference }
  const told = await ecr(desired, 'PutImage', { registryId: desired.account, ...image, ...tag })
  const text = await told.text()
  if (!told.ok && !text.includes('ImageAlreadyExists')) throw new Error(`lab: ECR did not take the image: ${text}`)
}

const ecr = ({ ecr = '', region }: Desired, operation: string, input: object): Promise<Response> =>
  fetch(ecr, {
    method: 'POST',
    headers: {
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
      authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/ecr/aws4_request, SignedHeaders=host, Signature=x`,
    },
    body: JSON.stringify(input),
  })
