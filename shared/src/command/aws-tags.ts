/** Tags of something in AWS, by key. */
export type Tags = Readonly<Record<string, string>>

/** What carries this tag is ours to care for, whoever made it. */
export const ownedBy = { 'managed-by': 'infra' } as const

/** What carries this one as well was made here: it is set on creation only, and not on what is adopted. */
export const madeBy = { 'created-by': 'infra' } as const

/**
 * On a user: the tag that tells of one access key that it was made here; only such keys are ever deleted. One tag for each
 * key, so that two runs at once do not overwrite what the other noted.
 */
export const keyTag = (id: string): string => `${keyTagStart}${id}`
const keyTagStart = 'infra-access-key/'

/** The ids of the keys that a user's tags tell of. */
export const keysMade = (tags: Tags | undefined): readonly string[] =>
  Object.keys(tags ?? {}).flatMap((key) => (key.startsWith(keyTagStart) ? [key.slice(keyTagStart.length)] : []))

/** Those of the desired tags that are missing or have another value. Tags that are not desired for are nobody's business. */
export function staleTags(desired: Tags, now: Tags | null): Tags {
  return Object.fromEntries(Object.entries(desired).filter(([key, value]) => now?.[key] !== value))
}

/** `Name x → y, managed-by=infra`: how a change of tags is told. */
export function tellTags(stale: Tags, now: Tags | null): string {
  const said = Object.entries(stale).map(([key, value]) =>
    now?.[key] === undefined ? `${key}=${value}` : `${key} ${now[key]} → ${value}`,
  )
  return said.join(', ')
}

/** As most services take them. */
export const tagList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
