import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import {
  type AuthenticationProvider,
  type HttpMethod,
  NativeResponseHandler,
  RequestInformation,
  ResponseHandlerOption,
} from '@microsoft/kiota-abstractions'
import { CustomFetchHandler, FetchRequestAdapter, HttpClient } from '@microsoft/kiota-http-fetchlibrary'
import { reveal, type Secret } from '../../command/secret.ts'

/** Milliseconds for one answer. */
const timeoutMs = 30_000

// Resolved at run time: the package ships its TypeScript sources, which do not pass our compiler options.
const require = createRequire(import.meta.url)
const dots = require.resolve('@digitalocean/dots/src/dots/DigitalOceanApiKeyAuthenticationProvider.js')

interface Dots {
  readonly DigitalOceanApiKeyAuthenticationProvider: new (token: string) => AuthenticationProvider
}

export type Send = (method: string, url: string, body?: string) => Promise<Response>

/**
 * Sends requests by dots: its authentication on Kiota's adapter, the answers taken as they come. Import it only when
 * there is something to send: it is large. Nothing is retried here, since a repeated POST could make a second droplet;
 * and nothing is redirected, since the token goes along.
 */
export async function dotsSender(token: Secret): Promise<Send> {
  const { DigitalOceanApiKeyAuthenticationProvider }: Dots = await import(pathToFileURL(dots).href)
  const once = new CustomFetchHandler((url, init) =>
    fetch(url, { ...(init as RequestInit), redirect: 'error', signal: AbortSignal.timeout(timeoutMs) }),
  )
  const authentication = new DigitalOceanApiKeyAuthenticationProvider(reveal(token))
  const adapter = new FetchRequestAdapter(authentication, undefined, undefined, new HttpClient(undefined, once))
  return async (method, url, body) => {
    const request = new RequestInformation(method as HttpMethod)
    request.URL = url
    request.headers.add('Accept', 'application/json')
    if (body !== undefined) {
      const { buffer } = new TextEncoder().encode(body)
      request.setStreamContent(buffer as ArrayBuffer, 'application/json')
    }
    const handler = new NativeResponseHandler()
    const option = new ResponseHandlerOption()
    option.responseHandler = handler
    request.addRequestOptions([option])
    await adapter.sendNoResponseContent(request, undefined)
    return handler.value as Response
  }
}
