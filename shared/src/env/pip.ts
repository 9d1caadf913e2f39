import { type Parsed, parsed } from './parsed.ts'

const version = '(===?|[<>~!]=|[<>])[0-9a-zA-Z.*+!-]+'
const constraint = new RegExp(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?${version}(,${version})*$`, 'i')

/**
 * Constraints of pip (https://pip.pypa.io/en/stable/user_guide/#constraints-files), parted by blanks, each a name with its
 * bounds: `mcp<2 numpy>=1.24,<3`. `none` is none.
 */
export function pipConstraints(): Parsed<readonly string[]> {
  return parsed((text) => {
    if (text === 'none') return { value: [] }
    const list = text.split(/\s+/).filter(Boolean)
    const bad = list.find((item) => !constraint.test(item))
    return bad === undefined
      ? { value: list }
      : { wrong: `has ${bad}, which is not a name with its bounds`, remedy: 'write it like mcp<2 numpy>=1.24,<3' }
  })
}
