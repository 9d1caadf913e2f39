import { type Cost, costOf, type Price as Estimate, sayPrice } from '@infra/shared/engine/cost'

interface Price extends Estimate {
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

/** The estimate as a plan tells it. */
export const cost: Cost = costOf(
  prices.date,
  prices.items.map(({ what, least, most }) => ({ what, least, ...(most !== undefined && { most }) })),
  prices.total,
)

/** The estimate as a table of markdown. */
export function costTable(): string {
  const rows = prices.items.map((item) => `| [${item.what}](${item.source}) | ${sayPrice(item)} | ${item.why} |`)
  return [
    '| | US dollars a month | |',
    '| --- | --- | --- |',
    ...rows,
    `| total | ${prices.total} | estimated ${prices.date} |`,
  ].join('\n')
}
