/** An entry of a tar archive, as whoever wants to get out of a folder would make it. */
export interface Entry {
  readonly name: string
  /** POSIX.1-1988: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` folder, `6` pipe. */
  readonly type?: '0' | '1' | '2' | '3' | '4' | '5' | '6'
  readonly link?: string
  readonly content?: string
  readonly mode?: number
  readonly user?: string
}

/** A tar archive of exactly these entries: no program that packs files would make all of them. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, type = '0', link = '', content = '', mode = 0o644, user = 'root' }) => {
    const head = Buffer.alloc(512)
    const put = (at: number, text: string) => head.write(text, at, 'latin1')
    const octal = (at: number, width: number, value: number) =>
      put(at, `${value.toString(8).padStart(width - 1, '0')}\0`)
    put(0, name)
    octal(100, 8, mode)
    octal(108, 8, 0)
    octal(116, 8, 0)
    octal(124, 12, content.length)
    octal(136, 12, 1_700_000_000)
    put(148, '        ')
    put(156, type)
    put(157, link)
    put(257, 'ustar\x0000')
    put(265, user)
    put(297, user)
    octal(
      148,
      7,
      head.reduce((sum, byte) => sum + byte, 0),
    )
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
    body.write(content, 'latin1')
    return [head, body]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
