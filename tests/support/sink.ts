import { type Outlet, outletTo } from '@infra/shared/report/outlet'

/** A stream that keeps what is written to it. */
export class Memory {
  text = ''
  readonly columns: number | undefined
  /** What a reporter writes to it by. */
  readonly outlet: Outlet
  /** With `columns` it is a terminal of that width. */
  constructor(columns?: number) {
    this.columns = columns
    this.outlet = outletTo(this)
  }
  write(text: string): void {
    this.text += text
  }
}

/** Control characters, all but line ends: what must not reach a stream that is not a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
export const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
