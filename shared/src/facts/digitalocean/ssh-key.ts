import { createHash } from 'node:crypto'
import { doAnswer, doGet } from '../../command/digitalocean.ts'
import type { Question } from '../../engine/step.ts'

/** The MD5 fingerprint of a public key, `3b:16:bf:…`, which DigitalOcean knows it by. `base64` is its second word. */
export function keyFingerprint(base64: string): string {
  const digest = createHash('md5').update(Buffer.from(base64, 'base64')).digest('hex')
  return (digest.match(/../g) ?? []).join(':')
}

/** The name under which the account has a key. Null when it does not have it. */
export function accountKey(fingerprint: string): Question<string | null> {
  return {
    // By fingerprint, since listing the keys is allowed ten times a minute only.
    command: doGet(`/v2/account/keys/${fingerprint}`),
    parse: (output) => doAnswer<{ ssh_key: { name: string } }>(output)?.ssh_key.name ?? null,
  }
}
