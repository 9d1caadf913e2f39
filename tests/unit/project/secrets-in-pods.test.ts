import { holdsSecret, revealText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { collect } from '@infra/shared/engine/declaration'
import { makePlan } from '@infra/shared/engine/plan'
import { key32 } from '@infra/shared/env/random'
import { sampleEnv } from '@infra/shared/env/sample'
import { sampleVapidPrivate } from '@infra/shared/env/vapid'
import { type Schema, variablesOf } from '@infra/shared/env/variable'
import { describe, expect, it } from 'vitest'
import cluster from '../../../cluster/cluster.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import stoat from '../../../stoat/stoat.ts'

/** What is no free text: it is made of another key. */
const shaped: Readonly<Record<string, () => string>> = {
  STOAT_VAPID_PRIVATE_KEY: sampleVapidPrivate,
  STOAT_ENCRYPTION_KEY: key32,
}

/** An environment in which every secret variable is set, and what they are set to. */
function marked(schema: Schema, without: readonly string[] = []) {
  const names = variablesOf(schema).flatMap(({ name, meta }) => (meta.secret && !without.includes(name) ? [name] : []))
  const values = Object.fromEntries(
    names.map((name) => [name, shaped[name]?.() ?? `marker-of-${name}-0123456789abcdef`]),
  )
  const secrets = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, secret(value)]))
  return { env: { ...sampleEnv(schema), ...secrets }, values }
}

interface KubeList {
  readonly items: readonly { readonly kind: string; readonly metadata: { readonly name: string } }[]
}

/** All objects that a deploy from nothing would apply, as the API server would get them. */
async function objectsOf(workspace: typeof cluster, env: object) {
  const { context } = workspace.open({ env: env as never, offline: true, folder: '/nowhere', workspaceOptions: {} })
  const plan = await makePlan(collect(workspace.scripts, context, workspace.scripts), () => {})
  const commands = plan.steps.flatMap(({ decision }) =>
    decision?.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : [],
  )
  const applied = commands.filter(({ line }) => /\bkubectl apply\b/.test(line) && /-f -/.test(line))
  return applied.flatMap(({ stdin }) => {
    if (!stdin) return []
    const list = JSON.parse(revealText(stdin)) as KubeList
    if (holdsSecret(stdin)) expect(list.items.map(({ kind }) => kind)).toContain('Secret')
    return list.items
  })
}

describe.each([
  ['cluster', cluster, marked(clusterSchema), 20],
  [
    'cluster with a key of its own',
    cluster,
    marked(clusterSchema, ['BOT_AWS_ACCESS_KEY_ID', 'BOT_AWS_SECRET_ACCESS_KEY']),
    20,
  ],
  ['stoat', stoat, marked(stoatSchema), 30],
  [
    'stoat with an external store',
    stoat,
    { ...marked(stoatSchema), more: { STOAT_S3_ENDPOINT: 'https://s3.example.com' } },
    30,
  ],
  ['stoat with mail', stoat, { ...marked(stoatSchema), more: { STOAT_SMTP_HOST: 'mail.example.com' } }, 30],
] as const)('what is applied for %s', (_, workspace, { env, values, ...rest }, least) => {
  it('holds every secret in Secrets only: in no pod, ConfigMap, label or annotation', async () => {
    const objects = await objectsOf(workspace, { ...env, ...('more' in rest ? rest.more : {}) })
    expect(objects.length).toBeGreaterThan(least)
    expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Deployment', 'NetworkPolicy', 'Secret']))
    const found = objects.flatMap((object) => {
      const text = JSON.stringify(object.kind === 'Secret' ? { ...object, data: {} } : object)
      return Object.entries(values).flatMap(([name, value]) =>
        [value, Buffer.from(value).toString('base64'), encodeURIComponent(value)].some((form) => text.includes(form))
          ? [`${name} in ${object.kind} ${object.metadata.name}`]
          : [],
      )
    })
    expect(found).toEqual([])
  })
})
