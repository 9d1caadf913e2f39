import { join } from 'node:path'
import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { blank } from '@infra/shared/targets/blank'
import { withPins } from '@infra/shared/targets/pins'
import { ssh } from '@infra/shared/targets/ssh/ssh'
import { pinsPath } from './backup/pins.ts'
import { backupChecks } from './checks/backup.ts'
import { commonChecks } from './checks/common.ts'
import { withDependencies } from './checks/dependencies.ts'
import { matrixChecks } from './checks/matrix.ts'
import { outsideChecks } from './checks/outside.ts'
import { postgresqlChecks } from './checks/postgresql.ts'
import { securityChecks } from './checks/security.ts'
import { synapseChecks } from './checks/synapse.ts'
import { systemChecks } from './checks/system.ts'
import { vkbChecks } from './checks/vkb.ts'
import type { PodContext } from './context.ts'
import { type PodEnv, podSchema, privateKeyOfPod } from './env/env.ts'
import { nextSteps } from './next.ts'
import { dropletCost } from './provision/prices.ts'
import security from './scripts/10-security.ts'
import common from './scripts/20-common.ts'
import postgresql from './scripts/30-postgresql.ts'
import synapse from './scripts/40-synapse.ts'
import vkb from './scripts/50-vkb.ts'
import backup from './scripts/60-backup.ts'

const pod: Workspace = workspace<typeof podSchema, PodContext>({
  name: 'pod',
  schema: podSchema,
  scripts: [security, common, postgresql, synapse, vkb, backup],
  open({ env, offline, folder, tell }) {
    const host =
      offline || env.VALENCE_POD_IP === undefined ? blank('a new host') : connect(env, env.VALENCE_POD_IP, folder, tell)
    const context: PodContext = {
      ...{ env, host },
      // Commands that only get in have no domain.
      get pins() {
        return pinsPath(folder, env.VALENCE_DOMAIN)
      },
    }
    return { context, targets: [host] }
  },
  checks: (context) =>
    withDependencies([
      ...securityChecks(context),
      ...commonChecks(context),
      ...postgresqlChecks(context),
      ...synapseChecks(context),
      ...matrixChecks(context),
      ...vkbChecks(context),
      ...systemChecks(context),
      ...backupChecks(context),
      ...outsideChecks(context),
    ]),
  cost: ({ env }) => dropletCost(env),
  next: ({ env }) => nextSteps(env),
})

function connect(env: PodEnv, host: string, folder: string, tell?: (text: string) => void) {
  const target = ssh({
    host,
    port: env.VALENCE_SSH_PORT,
    user: env.VALENCE_SSH_USER,
    keyFile: env.VALENCE_SSH_PRIVATE_KEY_FILE,
    keyToTry: privateKeyOfPod(env),
    knownHosts: join(folder, 'known_hosts'),
    hostKey: env.VALENCE_SSH_HOST_KEY && `${env.VALENCE_SSH_HOST_KEY.type} ${env.VALENCE_SSH_HOST_KEY.base64}`,
    tell,
  })
  return env.VALENCE_BACKUP_TIMER ? withPins(target, tell) : target
}

export default pod
