import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../run.ts'

type Desired = {
  readonly folder: string
  /** The registry's name, and where it is. */
  readonly host: string
  readonly address: string
  readonly authority: string
}

// Pushing knows no other place for a registry than its name's address, so the name has one: in a mount namespace.
const wrapper = (program: string, hosts: string, containers: string) => `#!/bin/sh
exec unshare --mount --propagation private sh -c '
  mount --bind "${hosts}" /etc/hosts && mount --bind "${containers}" /etc/containers && exec "${program}" "$@"
' buildah "$@"
`

/** What a process needs to build and push images with buildah, and with nothing of the machine's own settings. */
export async function builderEnv({
  folder,
  host,
  address,
  authority,
}: Desired): Promise<Readonly<Record<string, string>>> {
  const place = async (name: string) => {
    await mkdir(join(folder, name))
    return join(folder, name)
  }
  const [bin, containers, storage] = [await place('bin'), await place('containers'), await place('storage')]
  const files = {
    'policy.json': JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }),
    'registries.conf': 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n',
    'containers.conf': `[network]\nnetwork_config_dir = "${storage}/networks"\n`,
    'storage.conf': `[storage]\ndriver = "overlay"\nrunroot = "${storage}/run"\ngraphroot = "${storage}/images"\n`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(containers, name), text)
  const hosts = join(folder, 'hosts')
  await writeFile(hosts, `${(await readFile('/etc/hosts', 'utf8')).trimEnd()}\n${address} ${host}\n`)
  const authorities = join(folder, 'authorities.crt')
  const known = await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8').catch(() => '')
  await writeFile(authorities, known + (await readFile(authority, 'utf8')))
  const program = (await must('sh', ['-c', 'command -v buildah'])).trim()
  await writeFile(join(bin, 'buildah'), wrapper(program, hosts, containers))
  await chmod(join(bin, 'buildah'), 0o755)
  const login = join(folder, 'login.json')
  // A file that is named must be there.
  await writeFile(login, '{}', { mode: 0o600 })
  return {
    PATH: `${bin}:${process.env.PATH}`,
    // A container in a container is not always allowed; a changed root always is.
    BUILDAH_ISOLATION: 'chroot',
    REGISTRY_AUTH_FILE: login,
    SSL_CERT_FILE: authorities,
  }
}
