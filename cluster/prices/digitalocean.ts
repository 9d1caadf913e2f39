/**
 * What a DOKS cluster costs a month in US dollars, for a plan that cannot ask: nodes are billed as droplets of their
 * size, in force since July 2022, and a control plane of several machines by itself, both from
 * https://www.digitalocean.com/pricing/kubernetes. With a token the API's own price of the nodes is shown.
 */
export const kubernetesPrices = {
  nodes: {
    's-1vcpu-2gb': 12,
    's-2vcpu-2gb': 18,
    's-2vcpu-4gb': 24,
    's-4vcpu-8gb': 48,
    's-8vcpu-16gb': 96,
  },
  ha: 40,
} as const
