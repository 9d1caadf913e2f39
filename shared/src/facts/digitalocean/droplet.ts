import {
  type DoCommand,
  doAnswer,
  doGet,
  doList,
  doSsh,
  publicAddress,
  publicAddress6,
  type SshLook,
} from '../../command/digitalocean.ts'
import type { Question } from '../../engine/step.ts'

export interface DropletState {
  readonly id: number
  readonly name: string
  /** `new`, `active`, `off`, `archive`. */
  readonly status: string
  readonly size: string
  readonly region: string
  /** The slug of the image it was made from, or its name where it has none. */
  readonly image: string
  /** Its public IPv4 address; undefined for its first seconds. */
  readonly address: string | undefined
  /** Its public IPv6 address, where it has one. */
  readonly address6: string | undefined
  readonly tags: readonly string[]
}

export interface SizeOffer {
  /** US dollars a month. */
  readonly monthly: number
  /** Where new droplets of this size can be made. */
  readonly regions: readonly string[]
  readonly available: boolean
}

/** The request for the droplets of a name. Names are compared without regard to case, and need not be unique. */
export const dropletsNamed = (name: string): DoCommand => doList('/v2/droplets', { name })

/** All droplets of a name. */
export function droplets(name: string): Question<readonly DropletState[]> {
  return {
    command: dropletsNamed(name),
    parse: (output) => (doAnswer<{ droplets: ApiDroplet[] }>(output)?.droplets ?? []).map(readDroplet),
  }
}

/** Droplets of one name, told apart. */
export const tellTwins = (name: string, found: readonly DropletState[]): string =>
  `there are ${found.length} droplets of the name ${name}: ${found.map(({ id, address, status }) => `${id} (${address ?? 'no address'}, ${status})`).join(', ')}`

/**
 * The droplet of a name, with its address. Throws while it is not there: what needs it is not known until then; and where
 * there are several, since nothing tells which is meant.
 */
export function existingDroplet(name: string): Question<DropletState & { readonly address: string }> {
  return {
    command: dropletsNamed(name),
    parse(output) {
      const found = droplets(name).parse(output)
      if (found.length > 1) throw new Error(tellTwins(name, found))
      const [droplet] = found
      if (!droplet) throw new Error(`there is no droplet ${name} yet`)
      if (droplet.address === undefined) throw new Error(`droplet ${name} has no public address yet`)
      return { ...droplet, address: droplet.address }
    },
  }
}

/** Whether ssh answers on the droplet's address, seen from this machine. Throws while there is none. */
export function dropletSsh(name: string, port: number): Question<SshLook & { readonly address: string }> {
  return {
    command: doSsh(port, dropletsNamed(name)),
    parse(output) {
      const look = doAnswer<SshLook>(output)
      if (!look?.address) throw new Error(`droplet ${name} has no public address yet`)
      return { ...look, address: look.address }
    },
  }
}

/** What a size costs and where it is offered. Null when there is no such size, undefined in a blank account. */
export function sizeOffer(slug: string): Question<SizeOffer | null | undefined> {
  return {
    command: doList('/v2/sizes'),
    parse(output) {
      const found = doAnswer<{ sizes: ApiSize[] }>(output)
      if (!found) return undefined
      const size = found.sizes.find((size) => size.slug === slug)
      return size ? { monthly: size.price_monthly, regions: size.regions, available: size.available } : null
    },
  }
}

/** Whether there is an image of this slug or id; true in a blank account. */
export function imageExists(image: string): Question<boolean> {
  return {
    command: doGet(`/v2/images/${encodeURIComponent(image)}`),
    parse: (output) => output.code === 127 || doAnswer(output) !== null,
  }
}

/** Whether the account has a tag. */
export function tagExists(tag: string): Question<boolean> {
  return { command: doGet(`/v2/tags/${tag}`), parse: (output) => doAnswer(output) !== null }
}

function readDroplet(droplet: ApiDroplet): DropletState {
  return {
    id: droplet.id,
    name: droplet.name,
    status: droplet.status,
    size: droplet.size_slug,
    region: droplet.region.slug,
    image: droplet.image?.slug ?? droplet.image?.name ?? 'an unknown image',
    address: publicAddress(droplet),
    address6: publicAddress6(droplet),
    tags: droplet.tags ?? [],
  }
}

// The parts of the API's answers that are read. `image` and `tags` are left out for tokens without their scopes.
interface ApiDroplet {
  id: number
  name: string
  status: string
  size_slug: string
  region: { slug: string }
  image?: { slug: string | null; name: string } | null
  tags?: string[] | null
}
interface ApiSize {
  slug: string
  price_monthly: number
  regions: string[]
  available: boolean
}
