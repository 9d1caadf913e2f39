import { canAsk, confirm } from '@infra/shared/cli/confirm'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { Failure } from '@infra/shared/engine/failure'
import { password } from '@infra/shared/env/random'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { print, printJson } from '@infra/shared/report/print'
import type { StoatContext } from '../context.ts'
import { addInvite, inDatabase } from '../database.ts'

/** `invite [CODE]`: lets somebody make an account where that takes an invite. A code may be used more than once. */
export async function runInvite(session: Session): Promise<number> {
  const context = open(session, 'access').context as StoatContext
  const code = session.args[0] ?? password().slice(0, 10)
  if (!/^[\w-]{4,64}$/.test(code))
    throw usage(`${code} is not the code of an invite`, 'Use 4 to 64 letters, digits, - and _.')
  await assertInside(context)
  await addInvite(context, code)
  if (session.options.json) printJson({ code })
  else print(code)
  if (!context.env.STOAT_INVITE_ONLY)
    session.emit({
      type: 'message',
      level: 'warn',
      text: 'STOAT_INVITE_ONLY is false: accounts are made without an invite too',
    })
  return 0
}

/** `make-admin USERNAME`: gives an account all rights, at once. */
export async function runMakeAdmin(session: Session): Promise<number> {
  const context = open(session, 'access').context as StoatContext
  const [name = ''] = session.args
  if (!/^[\p{L}\p{N}._-]{2,32}$/u.test(name))
    throw usage(`${name} is not a user name`, 'It is the one without # and digits.')
  await assertInside(context)
  const query = `{ username: ${JSON.stringify(name)} }`
  const found = (await inDatabase(context, `print(JSON.stringify(db.users.countDocuments(${query})))`)) as number
  if (found !== 1)
    throw new Failure('error', found === 0 ? `there is no user ${name}` : `${found} users are called ${name}`, {
      remedy: 'Make the account in the web client first; the name is that of its profile.',
    })
  if (!session.options.yes)
    await confirm(`Give ${name} all rights on this Stoat?`, canAsk(session.options.json === true, session.processEnv))
  const script = `db.users.updateOne(${query}, { $set: { privileged: true } }); print(JSON.stringify(db.users.findOne(${query}).privileged))`
  if ((await inDatabase(context, script)) !== true)
    throw new Failure('error', `${name} was not changed`, { remedy: 'Run it again.' })
  session.emit({ type: 'message', level: 'info', text: `${name} has all rights` })
  return 0
}
