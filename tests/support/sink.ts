/** A stream that keeps what is written to it. */
export class Memory {
  text = ''
  readonly columns: number
  constructor(columns = 80) {
    this.columns = columns
  }
  write(text: string): void {
    this.text += text
  }
}

/** Control characters, all but line ends: what must not reach a stream that is no terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
export const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
