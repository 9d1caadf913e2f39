/** US dollars a month. Without `most` it has no upper end. */
export interface Price {
  readonly what: string
  readonly least: number
  readonly most?: number
}

/** An estimate, in US dollars a month: as data, and in a few words for a table. */
export interface Cost {
  readonly currency: 'USD'
  readonly per: 'month'
  /** When it was estimated: `2026-11-24`. */
  readonly date: string
  readonly items: readonly Price[]
  /** The sum of the items; without `most` it has no upper end. */
  readonly least: number
  readonly most?: number
  readonly total: string
}

/** The estimate of some items, as of a date; `total` says their sum in words unless told. */
export function costOf(date: string, items: readonly Price[], total?: string): Cost {
  const least = sum(items.map((item) => item.least))
  const most = items.every((item) => item.most !== undefined) ? sum(items.map((item) => item.most ?? 0)) : undefined
  const range = { least, ...(most !== undefined && { most }) }
  return { currency: 'USD', per: 'month', date, items, ...range, total: total ?? `~${sayPrice(range)}` }
}

// To the cent.
const sum = (amounts: readonly number[]) => Math.round(amounts.reduce((all, one) => all + one, 0) * 100) / 100

/** What a workspace costs in all; without `most` it has no upper end. */
export type TotalPrice = Pick<Cost, 'currency' | 'per' | 'least' | 'most'>

/** Of an estimate the sum alone. */
export const totalPrice = ({ currency, per, least, most }: Cost): TotalPrice => ({
  ...{ currency, per, least },
  ...(most !== undefined && { most }),
})

/** `$12`, `$5–20`; `$95+` where it has no upper end. */
export function sayPrice({ least, most }: Pick<Price, 'least' | 'most'>): string {
  if (most === undefined) return `$${amount(least)}+`
  return least === most ? `$${amount(least)}` : `$${amount(least)}–${amount(most)}`
}

const amount = (dollars: number) => (Number.isInteger(dollars) ? String(dollars) : dollars.toFixed(2))
