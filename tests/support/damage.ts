/**
 * Makes what damages a text by `chance`: some of its characters are taken out, doubled, exchanged for one of the `alphabet`,
 * or all that follows is cut off.
 */
export function damages(chance: () => number): (text: string, alphabet: string) => string {
  const below = (count: number) => Math.floor(chance() * count)
  return (text, alphabet) => {
    const [chars, letters] = [[...text], [...alphabet]]
    for (let times = 1 + below(4); times > 0; times -= 1) {
      const at = below(chars.length)
      const kind = below(4)
      if (kind === 0) chars.splice(at, 1 + below(3))
      else if (kind === 1) chars.splice(at, 0, chars[at] ?? '')
      else if (kind === 2) chars[at] = letters[below(letters.length)] ?? ''
      else chars.length = Math.max(1, at)
    }
    return chars.join('')
  }
}
