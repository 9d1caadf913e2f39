/** The services whose logs can be asked for, by the names that people give them; `all` is the errors of all. */
export const logServices = [
  'vkb',
  'synapse',
  'matrix-synapse',
  'nginx',
  'postgresql',
  'fail2ban',
  'certbot',
  'ssh',
  'backup',
  'all',
] as const
