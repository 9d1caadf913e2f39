import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { must } from './run.ts'

/** The name that every host has for the machine: a URL with it stays right when a saved host gets a new number. */
export const labName = 'lab.internal'

export type Authority = { readonly folder: string; readonly certificate: string }

/** A little authority that vouches for the lab's own https servers: lab hosts trust it, and nobody else does. */
export async function labAuthority(): Promise<Authority> {
  const folder = await cached('authority', { version: 1, name: labName }, async (to) => {
    const openssl = (...args: string[]) => must('openssl', args, { cwd: to })
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const itself = ['-x509', ...key, '-days', '3650', '-subj', '/CN=infra lab']
    await openssl('req', ...itself, '-keyout', 'ca.key', '-out', 'ca.pem')
    await openssl('req', ...key, '-subj', `/CN=${labName}`, '-keyout', 'server.key', '-out', 'server.csr')
    await writeFile(join(to, 'names'), `subjectAltName=DNS:${labName}\n`)
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '3650', '-extfile', 'names']
    await openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.pem')
  })
  return { folder, certificate: await readFile(join(folder, 'ca.pem'), 'utf8') }
}
