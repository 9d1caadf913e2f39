import type { Cost } from '@infra/shared/engine/events'

interface Price {
  readonly what: string
  /** US dollars a month. */
  readonly least: number
  /** Nothing: it has no upper end. */
  readonly most?: number
  readonly why: string
  readonly source: string
}

/**
 * What the cluster costs a month, as estimated on the date for a bot of one community. Who knows better changes it
 * here: the plan and docs/cost.md show it (npm run docs).
 */
export const prices: { readonly date: string; readonly items: readonly Price[]; readonly total: string } = {
  date: '2026-11-24',
  items: [
    {
      what: 'DynamoDB',
      least: 5,
      most: 20,
      why: 'pay per request',
      source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    },
    {
      what: 'SQS',
      least: 0,
      most: 5,
      why: 'first 1M requests free',
      source: 'https://aws.amazon.com/sqs/pricing/',
    },
    { what: 'ECR', least: 1, most: 5, why: 'storage', source: 'https://aws.amazon.com/ecr/pricing/' },
    {
      what: 'DigitalOcean K8s',
      least: 95,
      why: 'cluster cost',
      source: 'https://www.digitalocean.com/pricing/kubernetes',
    },
  ],
  total: '~$100–125',
}

const range = ({ least, most }: Price) => (most === undefined ? `$${least}+` : `$${least}–${most}`)

/** The estimate as a plan tells it. */
export const cost: Cost = {
  currency: 'USD',
  date: prices.date,
  items: prices.items.map(({ what, least, most }) => ({ what, least, ...(most !== undefined && { most }) })),
  total: prices.total,
}

/** The estimate as a table of markdown. */
export function costTable(): string {
  const rows = prices.items.map((item) => `| [${item.what}](${item.source}) | ${range(item)} | ${item.why} |`)
  return [
    '| | US dollars a month | |',
    '| --- | --- | --- |',
    ...rows,
    `| total | ${prices.total} | estimated ${prices.date} |`,
  ].join('\n')
}
