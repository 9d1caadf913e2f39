import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../run.ts'

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '30']

/** A certificate authority in a folder: `ca.crt`, `ca.key`. */
export async function makeAuthority(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, 'req.cnf'), '[req]\ndistinguished_name=dn\n[dn]\n')
  await request(folder, 'ca', `/CN=${name}`, [
    'basicConstraints=critical,CA:true',
    'keyUsage=critical,keyCertSign,cRLSign',
  ])
}

export type Certificate = {
  readonly subject: string
  /** Addresses and names of a server; a client has none. */
  readonly addresses?: readonly string[]
}

/** A certificate of the folder's authority: `NAME.crt`, `NAME.key`. */
export async function makeCertificate(folder: string, name: string, { subject, addresses }: Certificate) {
  const names = (addresses ?? []).map((address) => `${/^[\d.]+$/.test(address) ? 'IP' : 'DNS'}:${address}`)
  const extensions = [
    'basicConstraints=critical,CA:false',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${addresses === undefined ? 'clientAuth' : 'serverAuth'}`,
    ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
  ]
  const signer = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key')]
  await request(folder, name, subject, extensions, signer)
}

/** A private key without a certificate: `NAME.key`. */
export const makePrivateKey = (folder: string, name: string): Promise<string> =>
  must('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(folder, `${name}.key`)])

/** A token that nobody can guess. */
export const makeToken = (): string => randomBytes(24).toString('hex')

async function request(folder: string, name: string, subject: string, extensions: string[], signer: string[] = []) {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
  const added = extensions.flatMap((extension) => ['-addext', extension])
  const options = ['-x509', '-config', join(folder, 'req.cnf'), ...newKey, '-subj', subject]
  await must('openssl', ['req', ...options, ...signer, ...files, ...added])
}
