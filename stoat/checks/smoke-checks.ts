import { createHmac, randomBytes } from 'node:crypto'
import { reveal } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { type Check, type Finding, fail, ok, type ProbeRun, warn } from '@infra/shared/engine/check'
import { Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { addInvite, inDatabase, removeInvites } from '../database.ts'
import { keyNames, stoatSecret } from '../keys.ts'
import { canaryCheck, findCanary, keepCanary } from './canary.ts'
import type { Entrance, Through } from './entrance.ts'
import { goRound, leave, makeAccount, type Part, type SmokeAccount } from './smoke.ts'

const parts: Readonly<Record<Part | 'clean-up', string>> = {
  account: 'somebody makes an account and logs in',
  events: 'events come by WebSocket',
  file: 'a message with a file arrives, and the file comes back',
  acknowledgements: 'messages are marked as read',
  'clean-up': 'the account of the round is disabled, and those of rounds that were killed',
}

const inOrder: readonly Part[] = ['account', 'events', 'file', 'acknowledgements']

type Findings = Map<string, Finding>

/**
 * The canary file and, with `--smoke`, what a user does, as an account that is made for it. All parts are one round; the
 * first round stores the canary file.
 */
export function smokeChecks(context: StoatContext, through: Through): readonly Check[] {
  if (!context.smoke) return [canaryCheck(context, through, async () => {})]
  assertPossible(context)
  let round: Promise<Findings> | undefined
  const once = (run: ProbeRun): Promise<Findings> => {
    round ??= oneRound(context, through, run)
    return round
  }
  const part = ([id, about]: [string, string]): Check => ({
    id: `smoke.${id}`,
    about,
    remedy: 'npm run status -w stoat; npm run logs -w stoat -- api',
    writes: true,
    probe: async (run) => (await once(run)).get(id) ?? warn('not tried: the round ended before'),
  })
  return [...Object.entries(parts).map(part), canaryCheck(context, through, (run) => once(run).catch(() => {}))]
}

function assertPossible({ env }: StoatContext): void {
  const why =
    env.STOAT_SMTP_HOST !== undefined
      ? 'accounts are made by e-mail (STOAT_SMTP_HOST), which nobody reads here'
      : env.STOAT_HCAPTCHA_KEY !== undefined
        ? 'accounts are made with a captcha (STOAT_HCAPTCHA_KEY)'
        : undefined
  if (why)
    throw new Failure('error', `no account can be made for --smoke: ${why}`, { remedy: 'Try it in the web client.' })
}

/** Goes the round and takes its account away, however far it came; and first those of earlier rounds that were killed. */
async function oneRound(context: StoatContext, through: Through, run: ProbeRun): Promise<Findings> {
  await assertInside(context)
  const passwordOf = await passwords(context)
  const found: Findings = new Map()
  await through(async (entrance) => {
    const left = await cleanUp(context, entrance, passwordOf)
    try {
      await asAccount(context, entrance, { found, run, passwordOf })
    } catch (error) {
      const reached = inOrder.find((id) => !found.has(id)) ?? 'acknowledgements'
      const told = error instanceof Error ? error.message : String(error)
      found.set(reached, run.stopping() ? warn('stopped as requested') : fail(told))
    }
    // What cannot be taken away now is found by the next round.
    const earlier = left > 0 ? ` and ${left} of earlier rounds` : ''
    found.set(
      'clean-up',
      await cleanUp(context, entrance, passwordOf).then(
        (count) => ok(`${count} disabled${earlier}`),
        (error: Error) => fail(error.message),
      ),
    )
  })
  return found
}

interface Round {
  readonly found: Findings
  readonly run: ProbeRun
  readonly passwordOf: (email: string) => string
}

/** The mark of what a round makes: by it the next one finds what is left. */
const mark = () => `smoke-${randomBytes(8).toString('hex')}`
const marked = '^smoke-[0-9a-f]{16}'

async function asAccount(context: StoatContext, entrance: Entrance, { found, run, passwordOf }: Round): Promise<void> {
  const goOn = () => {
    if (run.stopping()) throw new Error('stopped as requested')
  }
  goOn()
  const email = `${mark()}@example.org`
  const account: SmokeAccount = { email, password: passwordOf(email) }
  const invite = context.env.STOAT_INVITE_ONLY ? mark() : undefined
  if (invite !== undefined) await addInvite(context, invite)
  await makeAccount(entrance, account, invite)
  const keep = (await findCanary(context)) ? undefined : keepCanary.bind(undefined, context)
  await goRound(entrance, account, { done: (part, detail) => void found.set(part, ok(detail)), goOn, keep })
}

/** The password of a throw-away account: whoever may read the encryption key can take it away again. */
async function passwords({ kube }: StoatContext): Promise<(email: string) => string> {
  const { held } = await askOf(kube, { held: secretValues(namespace, stoatSecret) })
  const key = held?.get(keyNames.encryption)
  if (!key) throw new Failure('error', 'there is no Stoat in the cluster yet', { remedy: 'npm run deploy -w stoat' })
  return (email) => createHmac('sha256', reveal(key)).update(`smoke\0${email}`).digest('base64url')
}

/** Takes away all that rounds have left: their servers and invites, and the use of their accounts. Gives how many of those. */
async function cleanUp(
  context: StoatContext,
  entrance: Entrance,
  passwordOf: (email: string) => string,
): Promise<number> {
  const filter = `{ email: { $regex: "${marked}@example[.]org$" }, disabled: false }`
  const servers = 'db.servers.find({ owner: one._id }).toArray().map(({ _id }) => _id)'
  const each = `({ email: one.email, servers: ${servers} })`
  const script = `print(JSON.stringify(db.accounts.find(${filter}).toArray().map((one) => ${each})))`
  const left = (await inDatabase(context, script)) as { email: string; servers: string[] }[]
  for (const { email, servers } of left)
    await leave(entrance, { email, servers, password: passwordOf(email) }).catch(async (error: Error) => {
      // A stranger's that looks like one of ours, or one of another key: its password is not known here.
      if (!error.message.includes(' answers 401 ')) throw error
      const query = `{ email: ${JSON.stringify(email)} }`
      const update = `db.accounts.updateOne(${query}, { $set: { disabled: true } })`
      const sessions = `db.sessions.deleteMany({ user_id: db.accounts.findOne(${query})._id })`
      await inDatabase(context, `${update}; ${sessions}; print("true")`)
    })
  if (context.env.STOAT_INVITE_ONLY) await removeInvites(context, `${marked}$`)
  return left.length
}
