import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from './context.ts'
import { invitesCollection } from './releases.ts'
import { stores } from './services.ts'

/** Runs a script in the database of Stoat; gives the JSON that it prints. */
export async function inDatabase({ kube }: StoatContext, script: string): Promise<unknown> {
  const pod = `${stores.mongodb.name}-0`
  const command = sh`kubectl exec -n ${namespace} ${pod} -- mongosh --quiet revolt --eval ${script}`
  const [output] = await kube.run([command], () => {})
  if (output?.code !== 0)
    throw new Failure('error', 'MongoDB did not do it', {
      detail: (output?.stderr || output?.stdout || '').trim().split('\n').slice(-3),
      remedy: 'npm run status -w stoat shows whether it runs.',
    })
  return JSON.parse(output.stdout.trim().split('\n').at(-1) ?? '')
}

const invites = `const invites = ${invitesCollection}`

/** Makes an invite, or leaves the one that is there. */
export async function addInvite(context: StoatContext, code: string): Promise<void> {
  const query = `{ _id: ${JSON.stringify(code)} }`
  const add = `if (!invites.findOne(${query})) invites.insertOne(${query})`
  await inDatabase(context, `${invites}; ${add}; print(JSON.stringify(invites.findOne(${query})))`)
}

/** Takes away the invites whose code matches: `^smoke-`. */
export async function removeInvites(context: StoatContext, pattern: string): Promise<void> {
  const query = `{ _id: { $regex: ${JSON.stringify(pattern)} } }`
  await inDatabase(context, `${invites}; invites.deleteMany(${query}); print("true")`)
}
