import { doSend, explainDo as explain } from '../../command/digitalocean.ts'
import { changes, create, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { accountKey, keyFingerprint } from '../../facts/digitalocean/ssh-key.ts'

/** A public key as an authorized_keys line and its second word. */
export interface AccountKeyOptions {
  name: string
  line: string
  base64: string
}

/** A public key in the account, so that new droplets can have it. The same key under another name is taken as it is. */
export function accountSshKey(on: Target, { name, line, base64 }: AccountKeyOptions): Step {
  const fingerprint = keyFingerprint(base64)
  return step({
    id: `ssh key ${fingerprint}`,
    on,
    ask: { known: accountKey(fingerprint) },
    plan: ({ known }) =>
      changes(
        known === null
          ? [
              create(
                `ssh key ${name} (${fingerprint}) in the account`,
                doSend('POST', '/v2/account/keys', { name, public_key: line }),
                { explain },
              ),
            ]
          : [],
        `in the account as ${known}`,
      ),
  })
}
