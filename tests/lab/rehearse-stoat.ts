import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deployTwice, type Rehearsal } from './rehearsal.ts'
import { type ClusterWorld, openCluster } from './rehearse-cluster.ts'
import { startStoatImages } from './stoat/images.ts'

/** Stoat: onto the cluster of a rehearsal, with real stores and stand-ins for its own programs. */
export const stoatRehearsal: Rehearsal = {
  needs: ['kube', 'registry', 'doctl', 'moto', 'stoat'],
  introduction: (cache) => `A rehearsal on this machine, without touching any cloud:
  starts    a Kubernetes of one node in a network of its own; fakes of AWS and DigitalOcean; a registry
  deploys   of the cluster its namespace and Redis; then Stoat, twice; verifies it as a user; destroys it but for its data
  real are  Caddy, RabbitMQ, Redis and an S3; MongoDB and Stoat's own programs are stand-ins
  builds    Kubernetes and the stores from their sources the first time: fifteen minutes and 3 GB, kept in ${cache}
  leaves    nothing running, unless --keep
`,
  async open() {
    const world = await openStoat()
    return {
      ...world,
      async run(hands, kept) {
        const cluster = hands.of('cluster')
        const some = ['--create', '--tags', 'kubernetes,iam,namespace,redis', '--yes']
        await hands.timed('cluster', () => cluster.tool('deploy', ...some))
        await cluster.changes()
        await deployTwice(hands, [], ['--smoke'])
        await hands.tool('status')
        await hands.tool('output')
        if (!kept) await hands.timed('destroy', () => hands.tool('destroy', '--yes'))
      },
      keep: () => world.keep('stoat'),
    }
  },
}

/** A world for both workspaces of the cluster, each with its environment. */
export async function openStoat(): Promise<ClusterWorld> {
  const world = await openCluster()
  try {
    await startStoatImages(world.kube)
    const { DIGITALOCEAN_TOKEN, DIGITALOCEAN_API_URL } = world.digitalocean
    const settings = {
      ...{ DIGITALOCEAN_TOKEN, DIGITALOCEAN_API_URL, STOAT_DOMAIN: 'stoat.example.com' },
      // Nothing here brings a load balancer or a certificate of a public authority.
      ...{ STOAT_TLS: 'none', STOAT_GATEWAY: 'cluster-ip', ROLLOUT_TIMEOUT: '240' },
    }
    const lines = Object.entries(settings).map(([name, value]) => `export ${name}="${value}"\n`)
    await writeFile(join(world.root, '.env.stoat'), lines.join(''), { mode: 0o600 })
  } catch (error) {
    await world.close()
    throw error
  }
  return world
}
