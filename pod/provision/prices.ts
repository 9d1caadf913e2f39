/**
 * What a droplet costs a month in US dollars, for a plan that cannot ask: in force since July 2022, from
 * https://www.digitalocean.com/pricing/droplets. With a token the API's own price is shown.
 */
export const dropletPrices: Readonly<Record<string, number>> = {
  's-1vcpu-1gb': 6,
  's-1vcpu-2gb': 12,
  's-2vcpu-2gb': 18,
  's-2vcpu-4gb': 24,
  's-4vcpu-8gb': 48,
  's-8vcpu-16gb': 96,
}
