import { type Secret, secret } from '../command/secret.ts'

/** Credentials of AWS. */
export interface AwsKeys {
  readonly id: Secret
  readonly secret: Secret
  readonly token?: Secret | undefined
}

/**
 * Finds credentials the way the CLI does: those given, else the profile or whatever the machine has (sso, roles, a
 * process, the machine's own). Undefined when there are none here: the CLI is then asked, and says why in its words.
 * They are looked up again when they are about to expire.
 */
export function credentialsOf(given: AwsKeys | undefined, profile: string | undefined) {
  let found: Promise<{ keys: AwsKeys; until: number } | undefined> | undefined
  const look = async () => {
    try {
      const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await defaultProvider(
        profile === undefined ? {} : { profile },
      )()
      const keys = { id: secret(accessKeyId), secret: secret(secretAccessKey) }
      const token = sessionToken === undefined ? {} : { token: secret(sessionToken) }
      return { keys: { ...keys, ...token }, until: expiration?.getTime() ?? Number.POSITIVE_INFINITY }
    } catch {
      return undefined
    }
  }
  return async (): Promise<AwsKeys | undefined> => {
    if (given) return given
    found ??= look()
    const now = await found
    if (now === undefined || now.until - Date.now() > 60_000) return now?.keys
    found = look()
    return (await found)?.keys
  }
}
