import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { secret } from '@infra/shared/command/secret'
import { Bucket } from '@infra/shared/targets/aws/s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let answer: (request: IncomingMessage, reply: ServerResponse) => void = (_, reply) => void reply.end()
const asked: string[] = []
const server = createServer((request, reply) => {
  asked.push(`${request.method} ${request.url}`)
  answer(request, reply)
})
let bucket: Bucket

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  bucket = new Bucket({
    ...{ endpoint: `http://127.0.0.1:${port}`, pathStyle: true, region: 'minio', bucket: 'b' },
    ...{ keyId: secret('the-key-id'), key: secret('the-secret-key') },
  })
})
afterAll(() => {
  bucket.close()
  server.close()
})

async function textOf(source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('a bucket', () => {
  it('is listed to its last page, names as they are', async () => {
    const page = (key: string, next: string) =>
      `<ListBucketResult><Contents><Key>${key}</Key><Size>3</Size></Contents><IsTruncated>${next !== ''}</IsTruncated>${next}</ListBucketResult>`
    answer = ({ url = '' }, reply) =>
      void reply.end(
        url.includes('continuation-token=t%2F1')
          ? page('b&#xfc;', '')
          : page('a &amp; b', '<NextContinuationToken>t/1</NextContinuationToken>'),
      )
    const found: string[] = []
    for await (const { key } of bucket.list()) found.push(key)
    expect(found).toEqual(['a & b', 'bü'])
  })

  it('goes on with an object where the connection was lost, as long as it is the same', async () => {
    answer = ({ headers }, reply) => {
      const [whole, etag] = ['0123456789', '"e"']
      if (headers.range === undefined) {
        reply.writeHead(200, { 'content-length': 10, etag })
        reply.write('0123', () => reply.destroy())
        return
      }
      const from = Number(headers.range.replace(/\D/g, ''))
      if (headers['if-match'] === etag) reply.writeHead(206, { etag }).end(whole.slice(from))
      else reply.writeHead(412).end()
    }
    const object = await bucket.read('k')
    expect([object?.bytes, object && (await textOf(object.content()))]).toEqual([10, '0123456789'])
  })

  it('says what the store says, and none of the keys', async () => {
    answer = (_, reply) =>
      void reply.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no &lt;you&gt;</Message></Error>')
    const error = await bucket.delete('k').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      message: expect.stringMatching(/^bucket b at .* answers 403 to DELETE k$/),
      detail: ['AccessDenied: no <you>'],
    })
    expect(JSON.stringify(error)).not.toContain('the-secret-key')
  })

  it.each(['../other/x', 'a/../../x', '.', 'a/..'])('is not left by the name %s', async (key) => {
    answer = (_, reply) => void reply.end()
    asked.length = 0
    await expect(bucket.delete(key)).rejects.toThrow(/cannot be the name of an object/)
    expect(asked).toEqual([])
  })

  it('is told where the store does not answer', async () => {
    answer = (request) => void request.socket.destroy()
    await expect(bucket.exists()).rejects.toThrow(/bucket b at \S+ does not answer: socket hang up/)
  })
})
