import type { AwsCall, AwsInput, Json } from '../../command/aws.ts'

type Answer = Readonly<Record<string, unknown>>

/** How services tell that there is more, and what they want to hear for it. */
const tokens = ['NextToken', 'nextToken', 'Marker'] as const

/** Of how many pages an answer may be: more is a service that goes round in a circle. */
const most = 1000

/**
 * The whole of an answer that may come in pages, which the CLI reads one after the other, too. `send` gives the JSON of one
 * page; undefined, where it failed, ends it.
 */
export async function allPages(
  call: AwsCall,
  send: (call: AwsCall) => Promise<string | undefined>,
): Promise<string | undefined> {
  let whole: Answer | undefined
  let next: AwsInput | undefined = call.input
  for (let page = 0; next !== undefined; page += 1) {
    if (page === most) throw new Error(`aws: ${call.service} ${call.operation} has more than ${most} pages`)
    const text = await send({ ...call, input: next })
    if (text === undefined) return undefined
    if (!whole && !/"(NextToken|nextToken|IsTruncated)"/.test(text)) return text
    const answer = JSON.parse(text) as Answer
    next = nextInput(call.input, answer)
    whole = whole ? joined(whole, answer) : answer
  }
  return JSON.stringify(whole)
}

/** What to ask for the next page; undefined after the last. A marker counts only where more is said to come. */
function nextInput(input: AwsInput, answer: Answer): AwsInput | undefined {
  const name = tokens.find((token) => typeof answer[token] === 'string' && answer[token] !== '')
  if (name === undefined || (name === 'Marker' && answer.IsTruncated !== true)) return undefined
  return { ...input, [name]: answer[name] as Json }
}

function joined(one: Answer, other: Answer): Answer {
  const lists = Object.entries(other).map(([name, value]) => {
    const before = one[name]
    return [name, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value]
  })
  const {
    IsTruncated: _,
    NextToken: __,
    nextToken: ___,
    Marker: ____,
    ...rest
  } = { ...one, ...Object.fromEntries(lists) }
  return rest
}
