import { raw } from '@infra/shared/command/sh'
import { accessKeys } from '@infra/shared/facts/aws/iam'
import { inlinePolicy, programUser, userToUse } from '@infra/shared/steps/aws/iam'
import { botCredentials, retiredKeys } from '@infra/shared/steps/aws/iam-keys'
import { canonicalPolicy } from '@infra/shared/steps/aws/iam-policy'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { describe, expect, it, test } from 'vitest'
import { botPolicy } from '../../../../cluster/parts/bot-policy.ts'
import { say } from './aws-say.ts'

const place = { region: 'ca-central-1' }
const on = blankAws(place)
const owner = { arn: 'arn:aws:iam::123456789012:user/bot', tags: { Name: 'bot', Team: 'x' } }

describe("a program's user", () => {
  const user = programUser(on, { name: 'bot', tags: { Name: 'bot' } })
  it.each([
    [{ user: null }, ['create user bot']],
    [{ user: owner }, []],
    [{ user: { ...owner, tags: {} } }, ['update tags of user bot: Name=bot']],
  ])('%#', (now, changes) => expect(say(user.plan(now, { pending: [] }))).toEqual(changes))
})

test.each<[string, { user: typeof owner | null }, string[], string[]]>([
  ['there', { user: owner }, [], []],
  ['about to be made', { user: null }, ['user bot'], []],
  ['made by nothing', { user: null }, ['another'], ['refused: there is no user bot']],
])('a user to use that is %s', (_, now, pending, lines) =>
  expect(say(userToUse(on, 'bot').plan(now, { pending }))).toEqual(lines),
)

describe('its policy', () => {
  const document = botPolicy(place)
  const now = JSON.parse(JSON.stringify(document).replaceAll('$AWS_ACCOUNT_ID', '123456789012'))
  const policy = inlinePolicy(on, { user: 'bot', name: 'p', document, dependsOn: [] })
  const [tables, ...others] = now.Statement
  const written = {
    ...now,
    Statement: [
      ...others,
      { Resource: [...tables.Resource].reverse(), Effect: 'Allow', Action: [...tables.Action].reverse() },
    ],
  }
  it.each([
    ['is put where there is none', { owner, policy: null }, [], ['create policy p of user bot']],
    ['is planned for a user to come', { owner: null, policy: null }, ['user bot'], ['create policy p of user bot']],
    ['needs a user', { owner: null, policy: null }, [], ['refused: there is no user bot']],
    ['is known again', { owner, policy: now }, [], []],
    ['is known in another order and without names', { owner, policy: written }, [], []],
    [
      'of another account is replaced',
      { owner: { ...owner, arn: 'arn:aws:iam::999999999999:user/bot' }, policy: now },
      [],
      ['update policy p of user bot'],
    ],
    [
      'that allows less is replaced',
      { owner, policy: { ...now, Statement: others } },
      [],
      ['update policy p of user bot'],
    ],
  ])('%s', (_, facts, pending, changes) => expect(say(policy.plan(facts as never, { pending }))).toEqual(changes))

  it.each([
    ['of its user', owner, undefined],
    ['of whoever asks, where the user is still to come', null, { account: '123456789012' }],
  ])('is shown with the account %s in the place of what stands for it', (_, owner, who) => {
    const decision = policy.plan({ owner, policy: null, who } as never, { pending: ['user bot'] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const after = change?.diff?.kind === 'text' ? change.diff.after : ''
    expect(after).toContain('arn:aws:sqs:ca-central-1:123456789012:')
    expect(after).not.toContain('$AWS_ACCOUNT_ID')
  })

  it('lets a consumer of a queue say that it takes longer', () => {
    const queues = now.Statement.find(({ Sid }: { Sid: string }) => Sid === 'Queues')
    expect(queues.Action).toContain('sqs:ChangeMessageVisibility')
  })

  it('compares rights, not words', () => {
    const one = {
      Version: '2012-10-17',
      Statement: { Sid: 'x', Effect: 'Allow', Action: 'SQS:sendmessage', Resource: '*' },
    }
    const statement = { Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: ['*'] }
    expect(canonicalPolicy({ Version: '2012-10-17', Statement: [statement, statement] })).toBe(canonicalPolicy(one))
    const differing = [
      { ...statement, Effect: 'Deny' },
      { ...statement, Resource: 'arn:x' },
      { ...statement, Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
      { Effect: 'Allow', NotAction: ['sqs:SendMessage'], Resource: ['*'] },
    ]
    for (const Statement of differing)
      expect(canonicalPolicy({ Version: '2012-10-17', Statement })).not.toBe(canonicalPolicy(one))
    expect(canonicalPolicy({ Statement: statement })).not.toBe(canonicalPolicy(one))
  })

  it('reads and writes the four tables and uses the queues, and does nothing to either', () => {
    const actions = document.Statement as readonly { Action: string | string[] }[]
    const all = actions.flatMap(({ Action }) => Action)
    expect(
      all.filter((action) =>
        /\*|Create|DeleteTable|UpdateTable|Purge|DeleteQueue|SetQueue|Put(Image|Lifecycle)/.test(action),
      ),
    ).toEqual([])
    expect(JSON.stringify(document)).not.toContain('-dlq')
  })
})

describe("the bot's access key", () => {
  const store = { name: 'Secret s', kept: { command: raw('kept'), parse: () => null }, keep: raw('keep') }
  const key = (id: string, active = true) => ({ id, active, created: `2026-11-0${id.at(-1)}T00:00:00.000Z` })
  const [one, two] = [key('AKIA1'), key('AKIA2')]
  const off = key('AKIA2', false)
  const made = 'create access key of bot, kept in Secret s'
  const gone = (id: string, words = '') =>
    `remove access key …${id.slice(-4)} of 2026-11-0${id.at(-1)}${words} of bot [downtime]`

  const madeHere = (...ids: string[]) => ({
    arn: 'arn',
    tags: Object.fromEntries(ids.map((id) => [`infra-access-key/${id}`, 'made'])),
  })
  const ours = madeHere('AKIA1', 'AKIA2')
  const adopted = { arn: 'arn', tags: { 'managed-by': 'infra' } }
  // Of a user that was made here before its tag told of keys.
  const older = { arn: 'arn', tags: { 'created-by': 'infra' } }
  const full = (...words: string[]) =>
    `refused: user bot has 2 access keys that were not made here (${words.join('; ')}), IAM allows no third, and Secret s holds none of them that works`

  it('is made for a user that an earlier script makes', () => {
    const now = { owner: null, keys: [], kept: null }
    expect(say(botCredentials(on, { user: 'bot', store }).plan(now, { pending: ['user bot'] }))).toEqual([made])
  })

  it.each([
    ['is made where there is none', { owner: ours, keys: [], kept: null }, [made]],
    [
      'is refused where nothing makes its user',
      { owner: null, keys: [], kept: null },
      ['refused: there is no user bot'],
    ],
    ['stays', { owner: ours, keys: [one], kept: 'AKIA1' }, []],
    ['stays beside a newer one', { owner: ours, keys: [one, two], kept: 'AKIA1' }, []],
    ['stays although somebody else made it', { owner: adopted, keys: [one, two], kept: 'AKIA1' }, []],
    ['is made anew when the store lost it', { owner: ours, keys: [one], kept: null }, [made]],
    ['is made anew when IAM does not know it', { owner: ours, keys: [one], kept: 'AKIA9' }, [made]],
    ['of two lost ones the older makes room', { owner: ours, keys: [one, two], kept: null }, [gone('AKIA1'), made]],
    [
      'one that is switched off makes room first',
      { owner: ours, keys: [one, off], kept: 'AKIA2' },
      [gone('AKIA2', ', inactive'), made],
    ],
    ['is made beside one of somebody else', { owner: adopted, keys: [one], kept: null }, [made]],
    ['ours makes room', { owner: madeHere('AKIA2'), keys: [one, two], kept: null }, [gone('AKIA2'), made]],
    [
      'the one in the store of an older release makes room',
      { owner: older, keys: [one, off], kept: 'AKIA2' },
      [gone('AKIA2', ', inactive'), made],
    ],
    [
      'two of somebody else leave no room',
      { owner: adopted, keys: [one, two], kept: null },
      [full('…KIA1 of 2026-11-01', '…KIA2 of 2026-11-02')],
    ],
    [
      'nor does one that is switched off and in the store',
      { owner: adopted, keys: [one, off], kept: 'AKIA2' },
      [full('…KIA1 of 2026-11-01', '…KIA2 of 2026-11-02, inactive')],
    ],
  ])('%s', (_, now, changes) =>
    expect(say(botCredentials(on, { user: 'bot', store }).plan(now, { pending: [] }))).toEqual(changes),
  )

  const kept = (id: string) =>
    `i access key …${id.slice(-4)} of 2026-11-0${id.at(-1)} of bot is kept: it was not made here`
  it.each([
    ['what is older than the kept one', { owner: ours, keys: [one, two], kept: 'AKIA2' }, [], [gone('AKIA1')]],
    ['not what is newer', { owner: ours, keys: [one, two], kept: 'AKIA1' }, [], []],
    ['nothing while none is kept', { owner: ours, keys: [one, two], kept: null }, [], []],
    ['what will have been replaced', { owner: ours, keys: [one], kept: null }, ['access key'], [gone('AKIA1')]],
    ['what will be left of two', { owner: ours, keys: [one, two], kept: null }, ['access key'], [gone('AKIA2')]],
    [
      "not somebody else's that is older",
      { owner: madeHere('AKIA2'), keys: [one, two], kept: 'AKIA2' },
      [],
      [kept('AKIA1')],
    ],
    [
      "not somebody else's when a new one is about to be made",
      { owner: adopted, keys: [one], kept: null },
      ['access key'],
      [kept('AKIA1')],
    ],
  ])('retires %s', (_, now, pending, lines) => {
    const decision = retiredKeys(on, { user: 'bot', store }).plan(now, { pending })
    const notes = decision.kind === 'refused' ? [] : (decision.notes ?? [])
    expect([...say(decision), ...notes.map((note) => `i ${note}`)]).toEqual(lines)
  })

  it('is told by IAM the oldest first, in the time format of either version of the CLI', () => {
    const AccessKeyMetadata = [
      { AccessKeyId: 'B', Status: 'Inactive', CreateDate: '2026-11-24T10:00:00+00:00' },
      { AccessKeyId: 'A', Status: 'Active', CreateDate: '2026-11-24T09:00:00Z' },
    ]
    const stdout = JSON.stringify({ AccessKeyMetadata })
    expect(accessKeys(place, 'bot').parse({ code: 0, stdout, stderr: '' })).toEqual([
      { id: 'A', active: true, created: '2026-11-24T09:00:00.000Z' },
      { id: 'B', active: false, created: '2026-11-24T10:00:00.000Z' },
    ])
  })
})
