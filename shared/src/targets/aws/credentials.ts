import { reveal, type Secret, secret } from '../../command/secret.ts'

/** Credentials of AWS. */
export interface AwsKeys {
  readonly id: Secret
  readonly secret: Secret
  readonly token?: Secret | undefined
}

/**
 * Finds credentials the way the CLI does: those given, else the profile or whatever the machine has (sso, roles, a
 * process, the machine's own). Undefined when there are none here: the CLI is then asked, and says why in its words.
 * They are looked up again when they do not last for so many milliseconds any more.
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
  return async (minLifetimeMs = 60_000): Promise<AwsKeys | undefined> => {
    if (given) return given
    found ??= look()
    const asked = found
    const now = await asked
    if (now === undefined || now.until - Date.now() > minLifetimeMs) return now?.keys
    // Nobody else's follow: the old ones stay until AWS itself says that they have expired.
    if (found === asked) found = look().then((next) => next ?? now)
    return (await found)?.keys
  }
}

// The keys are for the aws CLI alone: kubectl, in the same line, may sign in to its cluster by a profile of its own, and
// what builds an image needs none. So the shell keeps them as variables that it does not export.
const names = { id: 'INFRA_AWS_KEY', secret: 'INFRA_AWS_SECRET', token: 'INFRA_AWS_TOKEN' }
const assigned = `AWS_ACCESS_KEY_ID="$${names.id}" AWS_SECRET_ACCESS_KEY="$${names.secret}" AWS_SESSION_TOKEN="\${${names.token}-}"`

/** Shell that calls the aws CLI with the keys of {@link toEnv}, or with what it finds itself where there are none. */
export const awsFunction = `${Object.values(names)
  .map((name) => `own=\${${name}-}; unset ${name}; ${name}=$own`)
  .join('\n')}
aws() (
  unset DIGITALOCEAN_ACCESS_TOKEN # by which kubectl, in the same line, may sign in
  set -- --cli-connect-timeout 5 --cli-read-timeout 60 "$@" # a dead endpoint is told within seconds, not minutes
  if [ -n "\${${names.id}-}" ]; then ${assigned} command aws "$@"; else command aws "$@"; fi
)
`

/** The environment that gives {@link awsFunction} its keys. */
export function toEnv(keys: AwsKeys | undefined): Record<string, string | undefined> {
  if (!keys) return {}
  const { id, secret: half, token } = keys
  return { [names.id]: reveal(id), [names.secret]: reveal(half), [names.token]: token && reveal(token) }
}
