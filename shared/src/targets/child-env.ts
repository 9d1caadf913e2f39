/**
 * Which variables of our own environment the programs that we start get: what they need to run, and nothing else. Whatever
 * else is exported in the terminal, and every secret of the environment files, stays with this process.
 */
const always = new RegExp(
  `^(${[
    // Who we are, where programs and files are, how the terminal and texts look.
    'PATH|HOME|USER|LOGNAME|SHELL|TERM|COLORTERM|NO_COLOR|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|LOCALE_ARCHIVE',
    'LD_LIBRARY_PATH|DYLD_[A-Z_]+|XDG_[A-Z_]+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY',
    // Agents, which hand out no key.
    'SSH_AUTH_SOCK|SSH_AGENT_PID|SSH_ASKPASS|SSH_ASKPASS_REQUIRE|GPG_TTY|GNUPGHOME|KRB5CCNAME',
    // The way out of this network, and whom to trust there.
    '(HTTPS?|FTP|ALL|NO)_PROXY|(https?|ftp|all|no)_proxy',
    'SSL_CERT_FILE|SSL_CERT_DIR|NIX_SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|AWS_CA_BUNDLE',
    // Where the settings of AWS are, for whatever signs in by them: no key is in these.
    'AWS_PROFILE|AWS_DEFAULT_PROFILE|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|AWS_EC2_METADATA_DISABLED',
  ].join('|')})$`,
)

/** What only some programs need besides, by the beginning of the variables' names. */
const groups = {
  /** The aws CLI: where it finds credentials of its own. */
  aws: ['AWS_'],
  /** What builds images. `PKR_VAR_` is how a template of Packer is given values. */
  images: [
    ...['DOCKER_', 'BUILDX_', 'BUILDKIT_', 'CONTAINER_', 'CONTAINERS_', 'BUILDAH_', 'REGISTRY_AUTH_FILE'],
    ...['STORAGE_', 'PACKER_', 'PKR_VAR_'],
  ],
  google: ['CLOUDSDK_', 'GOOGLE_', 'GCLOUD_'],
  azure: ['AZURE_', 'AAD_', 'ARM_'],
  digitalocean: ['DIGITALOCEAN_'],
} as const

export type EnvGroup = keyof typeof groups

/** By which program a kubeconfig may sign in, and what that needs of our environment. */
const signIn: Readonly<Record<string, EnvGroup>> = {
  aws: 'aws',
  'aws-iam-authenticator': 'aws',
  gcloud: 'google',
  'gke-gcloud-auth-plugin': 'google',
  kubelogin: 'azure',
  doctl: 'digitalocean',
}

type Env = Readonly<Record<string, string | undefined>>

/** The variables of an environment that every program gets. */
export const childEnv = (env: Env): Env => pick(env, (name) => always.test(name))

/** The variables of an environment that the programs of these groups get besides. */
export const groupEnv = (env: Env, ...names: readonly EnvGroup[]): Env => {
  const starts = names.flatMap((name): readonly string[] => groups[name])
  return pick(env, (name) => starts.some((start) => name.startsWith(start)))
}

/** What a kubeconfig's sign-in program, such as `/usr/bin/aws`, needs. Another than those known gets nothing more. */
export function signInEnv(env: Env, program: string | undefined): Env {
  const group = signIn[program?.split('/').at(-1) ?? '']
  return group === undefined ? {} : groupEnv(env, group)
}

const pick = (env: Env, holds: (name: string) => boolean): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => holds(name)))
