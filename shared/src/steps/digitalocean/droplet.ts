import type { Output } from '../../command/command.ts'
import { doSend, doSsh, doUnless, doUntil } from '../../command/digitalocean.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  type DropletState,
  dropletSsh,
  droplets,
  dropletsNamed,
  imageExists,
  type SizeOffer,
  sizeOffer,
  tagExists,
  tellTwins,
} from '../../facts/digitalocean/droplet.ts'

export interface DropletOptions {
  name: string
  /** Slugs, or an image's id. */
  image: string
  size: string
  region: string
  /** Fingerprints of the account's keys that root shall have. Only a new droplet gets them. */
  keys: readonly string[]
  tag: string
  /** US dollars a month by size, for a plan that cannot ask. */
  prices?: Readonly<Record<string, number>>
  dependsOn?: readonly Dependency[]
}

interface Now {
  readonly found: readonly DropletState[]
  readonly offer: SizeOffer | null | undefined
  readonly image: boolean
  readonly tag: boolean
}

/** Seconds that a new droplet may take: most are up within one minute. */
const timeoutSeconds = 900

/**
 * A droplet, known by its name. One that is there is adopted and tagged; it is never replaced, resized, moved or
 * deleted: another size or region is refused. The image is not compared, since a rebuild or an upgrade changes it.
 */
export function droplet(on: Target, desired: DropletOptions): Step {
  const { name, size, image, tag, dependsOn = [] } = desired
  return step({
    id: `droplet ${name}`,
    on,
    ask: { found: droplets(name), offer: sizeOffer(size), image: imageExists(image), tag: tagExists(tag) },
    plan: (now) => decide(desired, now),
    dependsOn,
  })
}

function decide(desired: DropletOptions, now: Now): Decision {
  const [droplet, ...others] = now.found
  if (!droplet) return refuseOffer(desired, now) ?? changes([creation(desired, now)], '')
  if (others.length > 0) return refuseTwins(desired, now.found)
  const wrong = refuseDifference(desired, droplet)
  if (wrong) return wrong
  const list: Change[] = []
  if (droplet.status === 'new')
    list.push(update(`droplet ${desired.name} new → active`, active(desired.name), { explain }))
  if (!droplet.tags.includes(desired.tag)) list.push(tagging(desired, droplet, now.tag))
  const from = droplet.image === desired.image ? droplet.image : `${droplet.image} (a new one: ${desired.image})`
  return changes(list, `${droplet.address ?? 'no address'}, ${droplet.size}, ${droplet.region}, from ${from}`)
}

const active = (name: string) => doUntil(dropletsNamed(name), 'droplets.0.status', 'active', timeoutSeconds)

function creation({ name, image, size, region, keys, tag, prices }: DropletOptions, { offer }: Now): Change {
  const monthly = offer?.monthly ?? prices?.[size]
  const price = monthly === undefined ? 'price not known' : `~$${monthly}/month`
  const body = { name, region, size, image, ssh_keys: keys, tags: [tag] }
  // Looked at once more right before: names are not unique, and another run may have made it since.
  const make = doUnless(doSend('POST', '/v2/droplets', body), dropletsNamed(name), 'droplets')
  return create(`droplet ${name} (${size}, ${region}, ${image}, ${price})`, [make, active(name)], { explain })
}

function tagging({ name, tag }: DropletOptions, { id }: DropletState, exists: boolean): Change {
  const resources = [{ resource_id: String(id), resource_type: 'droplet' }]
  return update(
    `tag ${tag} on droplet ${name}`,
    [
      ...(exists ? [] : [doSend('POST', '/v2/tags', { name: tag })]),
      doSend('POST', `/v2/tags/${tag}/resources`, { resources }),
    ],
    { explain },
  )
}

function refuseOffer({ size, region, image }: DropletOptions, { offer, image: known }: Now): Decision | undefined {
  if (offer === null)
    return refuse(`DigitalOcean has no droplet size ${size}`, 'Correct VALENCE_DROPLET_SIZE: doctl compute size list')
  if (offer && (!offer.available || !offer.regions.includes(region)))
    return refuse(
      `DigitalOcean does not offer ${size} in ${region}`,
      offer.available && offer.regions.length > 0
        ? `It is offered in ${offer.regions.join(', ')}: set VALENCE_DROPLET_REGION, or another VALENCE_DROPLET_SIZE.`
        : 'It is sold out everywhere: set another VALENCE_DROPLET_SIZE (doctl compute size list).',
    )
  if (known) return undefined
  return refuse(
    `DigitalOcean has no image ${image}`,
    'Correct VALENCE_DROPLET_IMAGE: doctl compute image list-distribution --public',
  )
}

function refuseTwins({ name }: DropletOptions, found: readonly DropletState[]): Decision {
  return refuse(
    tellTwins(name, found),
    'Which one is the pod? Rename the other (doctl compute droplet-action rename ID --droplet-name NAME), or delete it when it holds nothing (doctl compute droplet delete ID).',
  )
}

function refuseDifference(desired: DropletOptions, droplet: DropletState): Decision | undefined {
  const { id, size, region, status } = droplet
  if (region !== desired.region)
    return refuse(
      `it is in ${region} instead of ${desired.region}, and a droplet is never moved or replaced here`,
      `Set VALENCE_DROPLET_REGION=${region} to keep it, or VALENCE_DROPLET_NAME to make another one.`,
    )
  if (size !== desired.size)
    return refuse(
      `it is a ${size} instead of a ${desired.size}, and a droplet is never resized or replaced here`,
      `Set VALENCE_DROPLET_SIZE=${size} to keep it. To resize it yourself (it is powered off for that): doctl compute droplet-action resize ${id} --size ${desired.size} --wait`,
    )
  if (status === 'new' || status === 'active') return undefined
  return refuse(
    `it is ${status === 'off' ? 'powered off' : status}`,
    status === 'off' ? `doctl compute droplet-action power-on ${id} --wait` : 'See it in the control panel.',
  )
}

/**
 * That ssh answers on the droplet's address, seen from this machine; waited for, since a new droplet takes some time.
 * Unknown while the droplet is not there.
 */
export function dropletAnswers(
  on: Target,
  name: string,
  { port, dependsOn }: { port: number; dependsOn: readonly Dependency[] },
): Step {
  return step({
    id: `ssh of droplet ${name}`,
    on,
    ask: { ssh: dropletSsh(name, port) },
    plan({ ssh: { address, open, reason } }) {
      const wait = doUntil(doSsh(port, dropletsNamed(name)), 'open', 'true', 300)
      const why = `ssh does not answer on ${address}:${port}`
      const list = open ? [] : [update(`wait for ssh on ${address}:${port} (${reason})`, wait, { explain: () => why })]
      return changes(list, `${address}:${port} answers`)
    },
    dependsOn,
  })
}

function explain({ code, stderr }: Output): string | undefined {
  if (/will exceed your droplet limit/i.test(stderr))
    return 'the account has as many droplets as it may have: ask for more in the control panel (Settings, Team)'
  return stderr === ''
    ? undefined
    : `DigitalOcean says: ${stderr}${code === 403 ? ' (does the token have the scope?)' : ''}`
}
