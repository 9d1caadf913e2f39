import type { ConfigFile } from '@infra/shared/facts/synapse/config'

/** Where Synapse keeps its data, and where it did before. */
export const place = {
  database: 'synapse',
  role: 'synapse',
  before: { database: 'valence', role: 'valence' },
}

const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }

/** A file of Synapse's configuration that another program wrote, with these values and no others. */
export const file = (
  values: Partial<ConfigFile['values']>,
  path = '/etc/matrix-synapse/homeserver.yaml',
): ConfigFile => ({
  path,
  keys: Object.keys(values),
  empty: [],
  values: { ...unset, ...values },
  by: 'other',
})
