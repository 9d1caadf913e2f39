import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { Server } from 'node:net'
import { join, normalize } from 'node:path'
import { labAuthority } from './authority.ts'
import { scratchFolder } from './cache.ts'
import type { LabHost } from './host.ts'
import { must } from './run.ts'
import type { VendorDebs } from './vendor-debs.ts'

/** The package sites that a host meets under their own names. */
export interface AptSites {
  /** Which Synapse packages.matrix.org has from now on: the older one until told. */
  release(which: 'older' | 'newer'): void
  stop(): Promise<void>
}

const names = ['packages.matrix.org', 'apt.postgresql.org', 'archive.ubuntu.com'] as const

/** Serves the repositories by http and https at the host's gateway, and has the host find them there. */
export async function aptSites(host: LabHost, { folder }: VendorDebs): Promise<AptSites> {
  let matrix: 'older' | 'newer' = 'older'
  const places: Readonly<Record<string, () => readonly [string, string]>> = {
    'packages.matrix.org': () => ['/debian/', `matrix-${matrix}`],
    'apt.postgresql.org': () => ['/pub/repos/apt/', 'pgdg'],
    'archive.ubuntu.com': () => ['/ubuntu/', 'ubuntu'],
  }
  const fileOf = (name: string, url: string): string | undefined => {
    if (name === 'packages.matrix.org' && url === '/debian/matrix-org-archive-keyring.gpg')
      return join(folder, 'key.gpg')
    const [prefix, repository] = places[name]?.() ?? []
    if (prefix === undefined || repository === undefined || !url.startsWith(prefix)) return undefined
    return join(folder, repository, normalize(`/${decodeURIComponent(url.slice(prefix.length))}`))
  }
  const answer: RequestListener = async (request, response) => {
    const file = fileOf(request.headers.host ?? '', request.url ?? '')
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
    if (file === undefined || !found?.isFile()) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': found.size, 'last-modified': found.mtime.toUTCString() })
    createReadStream(file).pipe(response)
  }
  const secure = createSecure(await certificate(), answer)
  const servers: Server[] = [
    await listening(createServer(answer), host.gateway, 80),
    await listening(secure, host.gateway, 443),
  ]
  await host.exec(`echo '${host.gateway} ${names.join(' ')}' >>/etc/hosts`)
  return {
    release: (which) => {
      matrix = which
    },
    stop: async () => {
      for (const server of servers) await new Promise((resolve) => server.close(resolve))
    },
  }
}

const listening = (server: Server, address: string, port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.unref()
      resolve(server)
    })
  })

async function certificate(): Promise<{ key: string; cert: string }> {
  const { folder } = await labAuthority()
  const at = await scratchFolder('sites')
  await writeFile(join(at, 'names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
  await must('openssl', ['req', ...key, '-subj', '/CN=package sites', '-out', 'request.pem'], { cwd: at })
  const ca = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key'), '-set_serial', String(Date.now())]
  const signed = ['x509', '-req', '-in', 'request.pem', ...ca, '-days', '30', '-extfile', 'names', '-out', 'cert.pem']
  await must('openssl', signed, { cwd: at })
  return { key: await readFile(join(at, 'key.pem'), 'utf8'), cert: await readFile(join(at, 'cert.pem'), 'utf8') }
}
