import { standalone } from '@infra/shared/cli/standalone'
import { sh } from '@infra/shared/command/sh'
import { script } from '@infra/shared/engine/script'
import { refuse, step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { directory, file } from '@infra/shared/steps/host/file'
import { signingKey } from '@infra/shared/steps/host/signing-key'
import { service, stopped } from '@infra/shared/steps/host/systemd'
import { noRecipient, recipientsOf, scheduleFiles } from '../backup/backup.ts'
import { backupFolder, backupUnit, signingKeyPath } from '../backup/facts.ts'
import type { PodContext } from '../context.ts'

export default script(
  'backup',
  { about: 'age, which encrypts backups, and the timer of scheduled ones, with the key that signs them' },
  ({ env, host, pins }: PodContext, add) => {
    if (env.VALENCE_BACKUP_TIMER && recipientsOf(env).length === 0) {
      add(nobody(host))
      return
    }
    const age = add(aptPackages(host, env.VALENCE_BACKUP_TIMER ? ['age', 'openssl'] : ['age']))
    if (!env.VALENCE_BACKUP_TIMER) {
      add(stopped(host, `${backupUnit}.timer`))
      return
    }
    const { archive, lock, program, service: unit, timer } = scheduleFiles(env)
    const key = add(signingKey(host, signingKeyPath, { pins, signs: 'scheduled backups', dependsOn: [age] }))
    const library = add(directory(host, '/usr/local/lib/valence'))
    const programs = add([
      ...[archive, lock].map(([path, content]) => file(host, path, { content, dependsOn: [library] })),
      file(host, program[0], { content: program[1], mode: '0755' }),
    ])
    const folder = add(directory(host, backupFolder, { mode: '0700' }))
    const calendar = sh`systemd-analyze calendar ${env.VALENCE_BACKUP_CALENDAR} >/dev/null`
    const units = add([
      file(host, unit[0], { content: unit[1] }),
      file(host, timer[0], { content: timer[1], validate: () => calendar }),
    ])
    add(
      service(host, `${backupUnit}.timer`, {
        reads: [unit[0], timer[0]],
        validate: sh`systemctl daemon-reload`,
        risk: 'safe',
        // It may be due at once.
        dependsOn: [age, key, folder, ...programs, ...units],
      }),
    )
  },
)

/** Without anybody to encrypt to, the whole run stops before anything is changed. */
const nobody = (on: Target) =>
  step({ id: 'recipient of backups', on, ask: {}, plan: () => refuse(noRecipient.message, noRecipient.remedy) })

standalone(import.meta.url)
