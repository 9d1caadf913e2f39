import type { StoatEnv } from './env/env.ts'
import { mongoMajor } from './env/images.ts'

type Profile = StoatEnv['STOAT_IMAGES']
type Program = 'api' | 'events' | 'web' | 'autumn' | 'january' | 'gifbox' | 'crond' | 'pushd'

const stoatchat = (tag: string, web: string): Record<Program, string> => ({
  api: `ghcr.io/stoatchat/api:${tag}`,
  events: `ghcr.io/stoatchat/events:${tag}`,
  web: `ghcr.io/stoatchat/for-web:${web}`,
  autumn: `ghcr.io/stoatchat/file-server:${tag}`,
  january: `ghcr.io/stoatchat/proxy:${tag}`,
  gifbox: `ghcr.io/stoatchat/gifbox:${tag}`,
  crond: `ghcr.io/stoatchat/crond:${tag}`,
  pushd: `ghcr.io/stoatchat/pushd:${tag}`,
})

/** The images of each release, as they were published. */
const profiles: Readonly<Record<Profile, Readonly<Record<Program, string>>>> = {
  revolt: {
    api: 'ghcr.io/revoltchat/server:20250930-2',
    events: 'ghcr.io/revoltchat/bonfire:20250930-2',
    web: 'ghcr.io/revoltchat/client:master',
    autumn: 'ghcr.io/revoltchat/autumn:20250930-2',
    january: 'ghcr.io/revoltchat/january:20250930-2',
    gifbox: 'ghcr.io/revoltchat/gifbox:20250930-2',
    crond: 'ghcr.io/revoltchat/crond:20250930-2',
    pushd: 'ghcr.io/revoltchat/pushd:20250930-2',
  },
  stoat: stoatchat('v0.13.8', '746bee5'),
  next: stoatchat('v0.15.1', '746bee5'),
}

/** The images of Stoat's own programs: those that variables name, else those of the profile. */
export function imagesOf(env: StoatEnv): Record<Program, string> {
  const release = profiles[env.STOAT_IMAGES]
  return {
    api: env.STOAT_API_IMAGE ?? release.api,
    events: env.STOAT_EVENTS_IMAGE ?? release.events,
    web: env.STOAT_WEB_IMAGE ?? release.web,
    autumn: env.STOAT_AUTUMN_IMAGE ?? release.autumn,
    january: env.STOAT_JANUARY_IMAGE ?? release.january,
    gifbox: env.STOAT_GIFBOX_IMAGE ?? release.gifbox,
    crond: env.STOAT_CROND_IMAGE ?? release.crond,
    pushd: env.STOAT_PUSHD_IMAGE ?? release.pushd,
  }
}

/** Known defects of what is deployed, told with every plan. */
export function knownDefects(env: StoatEnv): readonly string[] {
  const ofProfile: Readonly<Record<Profile, readonly string[]>> = {
    revolt: [
      'revolt 20250930-2: deleting a role answers 500; STOAT_IMAGES=stoat mends it',
      'revolt 20250930-2: january can be made to fetch private addresses (GHSA-xhww-5g9p-vvq5); its NetworkPolicy lets it reach public ones only',
      'revolt 20250930-2: gifbox asks tenor.googleapis.com, which was shut down on 2026-06-30: there are no GIFs',
    ],
    stoat: ['for-web before 2026-05 has a stored XSS (GHSA-q6j8-cm78-2rrg): name a newer one by STOAT_WEB_IMAGE'],
    next: ['for-web before 2026-05 has a stored XSS (GHSA-q6j8-cm78-2rrg): name a newer one by STOAT_WEB_IMAGE'],
  }
  const mongo = mongoMajor(env.STOAT_MONGODB_IMAGE)
  const tooNew = mongo !== undefined && mongo >= 8
  return [
    ...ofProfile[env.STOAT_IMAGES],
    ...(tooNew ? [`MongoDB ${mongo} crashes on nodes with Linux 6.19 or newer (exit code 139)`] : []),
  ]
}

/** The profile that an image of the api belongs to; undefined for one that a variable named. */
export const profileOf = (apiImage: string): Profile | undefined =>
  (Object.keys(profiles) as Profile[]).find((name) => profiles[name].api === apiImage)
