import { textFile, yamlFile } from '@infra/shared/env/config-files'
import { url } from '@infra/shared/env/network'
import { choice, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

/** The default SYNAPSE_VERSION: the one that the locks in `pod/files` are for. */
export const synapseVersion = '1.163.2'

/** As Synapse's own installation instructions tell it (element-hq.github.io/synapse, setup/installation). */
const synapseKey = 'AAF9AE843A7584B5A3E4CD2BCF45A512DE2DA058'

/** What Synapse's configuration may not set by a file of the user's: the deployment stands on it. */
export const decidedSettings = {
  server_name: 'it is VALENCE_DOMAIN',
  registration_shared_secret: 'it is SYNAPSE_REGISTRATION_SECRET',
  macaroon_secret_key: 'it is SYNAPSE_MACAROON_SECRET',
  form_secret: 'it is SYNAPSE_FORM_SECRET',
  database: 'the deployment makes the database',
  signing_key_path: 'the deployment keeps the signing key',
  signing_key: 'the deployment keeps the signing key',
  media_store_path: 'the deployment keeps the media',
  listeners: 'nginx stands before the listener that the deployment makes',
}

const matrix = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({
  group: 'Synapse, nginx and the certificate (optional)',
  ...meta,
})

/** How Synapse is installed, what a user adds to its configuration and to nginx's, and who issues the certificate. */
export const synapseVariables = {
  SYNAPSE_INSTALL: variable(
    choice('apt', 'pip').prefault('apt'),
    matrix({
      description: 'Where Synapse comes from: `apt` (packages.matrix.org) or `pip` (PyPI, in its own venv)',
      example: 'pip',
    }),
  ),
  SYNAPSE_KEY_FINGERPRINT: variable(
    matching(/^[0-9A-F]{40}$/, 'the whole fingerprint of a key: 40 hexadecimal digits, upper case').prefault(
      synapseKey,
    ),
    matrix({
      description:
        'The key that signs packages.matrix.org; no other key is accepted. Set it when they announce a new one',
      example: synapseKey,
    }),
  ),
  SYNAPSE_VERSION: variable(
    matching(/^\d+\.\d+\.\d+$/, 'a version of Synapse such as 1.163.2').prefault(synapseVersion),
    matrix({
      description:
        'The version that `pip` installs and keeps until you change it; hashes verify the files of the default version. `apt` installs the newest and updates it',
      example: synapseVersion,
    }),
  ),
  SYNAPSE_EXTRA_CONFIG_FILE: variable(
    yamlFile(decidedSettings).optional(),
    matrix({
      description: "Path to a YAML file whose settings override the deployment's in homeserver.yaml",
      example: './synapse-extra.yaml',
      path: true,
      unset: 'homeserver.yaml is as the deployment makes it',
    }),
  ),
  NGINX_EXTRA_CONFIG_FILE: variable(
    textFile().optional(),
    matrix({
      description:
        "Path to a file of nginx directives for the TLS server of VALENCE_DOMAIN; a location or setting in it replaces the deployment's",
      example: './nginx-extra.conf',
      path: true,
      unset: 'the site is as the deployment makes it',
    }),
  ),
  ACME_DIRECTORY_URL: variable(
    url().prefault('https://acme-v02.api.letsencrypt.org/directory'),
    matrix({
      description: 'The ACME directory of a staging or private certificate authority',
      example: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    }),
  ),
}
