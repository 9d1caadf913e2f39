import { createHmac, randomBytes } from 'node:crypto'
import { open, type Session } from '@infra/shared/cli/session'
import { reveal } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import { exitCodes, Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { sharedEntrance } from '../checks/entrance.ts'
import { goRound, leave, makeAccount, type SmokeAccount } from '../checks/smoke.ts'
import type { StoatContext } from '../context.ts'
import { keyNames, stoatSecret } from '../keys.ts'
import { addInvite, inDatabase, removeInvite } from './mongo.ts'

/** `smoke`: what a user does, as an account that is made for it and disabled afterwards, also after one that was killed. */
export async function runSmoke(session: Session): Promise<number> {
  const context = open(session, 'verify').context as StoatContext
  await assertInside(context)
  assertPossible(context)
  // The first Ctrl-C shall not leave an account behind.
  session.signals.hold()
  const passwordOf = await passwords(context)
  const began = Date.now()
  let [passed, failed] = [0, 0]
  const tell = (id: string, about: string, outcome: 'ok' | 'fail', detail: string) => {
    if (outcome === 'ok') passed += 1
    else failed += 1
    const remedy = outcome === 'ok' ? undefined : 'npm run verify -w stoat; npm run logs -w stoat -- api'
    session.emit({ type: 'check', id, about, outcome, detail, remedy })
  }
  const report = {
    done: (id: string, about: string, detail: string) => tell(id, about, 'ok', detail),
    goOn() {
      if (session.signals.stopping()) throw new Failure('interrupted', 'stopped as asked; the account is taken away')
    },
  }
  await sharedEntrance(context)(async (entrance) => {
    const clean = async () => {
      for (const left of await leftovers(context, passwordOf)) await leave(entrance, left)
    }
    await clean()
    const email = `smoke-${randomBytes(8).toString('hex')}@example.org`
    const account: SmokeAccount = { email, password: passwordOf(email) }
    const invite = context.env.STOAT_INVITE_ONLY ? `smoke-${randomBytes(8).toString('hex')}` : undefined
    try {
      if (invite !== undefined) await addInvite(context, invite)
      await makeAccount(entrance, account, invite)
      await goRound(entrance, account, report)
    } catch (error) {
      if (error instanceof Failure) throw error
      tell('smoke.round', 'the round of a user', 'fail', error instanceof Error ? error.message : String(error))
    } finally {
      if (invite !== undefined) await removeInvite(context, invite)
      // What cannot be taken away now is found by the next round.
      await clean().catch((error: Error) => tell('smoke.clean-up', 'the account is disabled', 'fail', error.message))
    }
  })
  session.emit({
    type: 'check.summary',
    counts: { ok: passed, warn: 0, fail: failed, skipped: 0 },
    ms: Date.now() - began,
  })
  return failed > 0 ? exitCodes.verify : 0
}

function assertPossible({ env }: StoatContext): void {
  const why =
    env.STOAT_SMTP_HOST !== undefined
      ? 'accounts are made by e-mail (STOAT_SMTP_HOST), which nobody reads here'
      : env.STOAT_HCAPTCHA_KEY !== undefined
        ? 'accounts are made with a captcha (STOAT_HCAPTCHA_KEY)'
        : undefined
  if (why)
    throw new Failure('error', `no account can be made for the round: ${why}`, { remedy: 'Try it in the web client.' })
}

/** The password of a throw-away account: whoever may read the encryption key can take it away again. */
async function passwords({ kube }: StoatContext): Promise<(email: string) => string> {
  const { held } = await askOf(kube, { held: secretValues(namespace, stoatSecret) })
  const key = held?.get(keyNames.encryption)
  if (!key) throw new Failure('error', 'there is no Stoat in the cluster yet', { remedy: 'npm run deploy -w stoat' })
  return (email) => createHmac('sha256', reveal(key)).update(`smoke\0${email}`).digest('base64url')
}

/** Accounts of rounds that did not end: one that was killed left its own. */
async function leftovers(context: StoatContext, passwordOf: (email: string) => string): Promise<SmokeAccount[]> {
  const filter = '{ email: { $regex: "^smoke-[0-9a-f]{16}@example[.]org$" }, disabled: false }'
  const servers = 'db.servers.find({ owner: one._id }).toArray().map(({ _id }) => _id)'
  const each = `({ email: one.email, servers: ${servers} })`
  const script = `print(JSON.stringify(db.accounts.find(${filter}).toArray().map((one) => ${each})))`
  const found = (await inDatabase(context, script)) as { email: string; servers: string[] }[]
  return found.map(({ email, servers }) => ({ email, servers, password: passwordOf(email) }))
}
