import type { Text } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Dependency,
  noting,
  refuse,
  remove,
  type Step,
  step,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileDigest } from '../../facts/host/file.ts'
import {
  type ChangedSetting,
  changedSettings,
  configFiles,
  synapseConfig,
  synapseDropIns,
} from '../../facts/synapse/config.ts'
import { backupOf } from '../host/file.ts'

interface Options {
  readonly dependsOn?: readonly Dependency[]
}

const toExtra = (rest: string) =>
  `Move what shall stay into your own file, named by SYNAPSE_EXTRA_CONFIG_FILE, and ${rest}.`

/** The files that Debian's package writes by itself, and answers for. */
const packaged = ['server_name.yaml', 'report_stats.yaml'].map((name) => `${synapseDropIns}/${name}`)

/** What `keys` say is said in one file only: drop-ins that say it too would win over it, and are put aside. */
export function synapseDropInsApart(on: Target, keys: readonly string[], { dependsOn = [] }: Options = {}): Step {
  return step({
    id: 'synapse.drop-ins',
    on,
    dependsOn,
    ask: { files: configFiles },
    plan({ files }) {
      const list: Change[] = []
      for (const { path, keys: found } of files) {
        if (path === synapseConfig || packaged.includes(path)) continue
        const ours = found.filter((key) => keys.includes(key))
        const others = found.filter((key) => !keys.includes(key))
        if (ours.length === 0) continue
        if (others.length > 0)
          return refuse(
            `${path} sets ${ours.join(', ')} over ${synapseConfig}, and also ${others.join(', ')}`,
            toExtra(`remove ${path}`),
          )
        const { path: backup, mkdir } = backupOf(path)
        const run = sh`${mkdir} && chmod 600 ${path} && mv -f ${path} ${backup}`
        list.push(remove(`${path}, which sets ${ours.join(', ')}`, run, { risk: 'restart' }))
      }
      return changes(list, 'no setting is set twice')
    },
  })
}

export interface AdoptionOptions extends Options {
  /** The names at the top of homeserver.yaml that the deployment says. */
  readonly said: readonly string[]
  /** Those that may go, since nothing of a server's own is in them. */
  readonly needless: readonly string[]
  /** The homeserver.yaml that will be. */
  readonly content: Text
  /** What no file of the user's can set, and why. */
  readonly decided: Readonly<Record<string, string>>
}

/**
 * A homeserver.yaml that somebody else wrote is replaced as a whole. What the deployment does not say itself is not left
 * out unasked: a pepper that is gone locks all users out. A copy is kept, once.
 */
export function synapseConfigAdopted(
  on: Target,
  { said, needless, content, decided, dependsOn = [] }: AdoptionOptions,
): Step {
  const previous = backupOf(synapseConfig)
  const backup = `${previous.path}.before`
  return step({
    id: 'synapse.config-before',
    on,
    dependsOn,
    ask: {
      files: configFiles,
      now: fileDigest(synapseConfig),
      copy: fileDigest(backup),
      changed: changedSettings(content),
    },
    plan({ files, now, copy, changed }) {
      const file = files.find(({ path }) => path === synapseConfig)
      if (file?.by !== 'other') return converged('nobody else wrote it')
      const more = file.keys.filter((key) => !said.includes(key) && !file.empty.includes(key))
      const lost = more.filter((key) => !needless.includes(key))
      if (lost.length > 0)
        return refuse(
          `${synapseConfig} is not by the deployment, and sets what would be lost: ${lost.join(', ')}`,
          toExtra(`take the rest of these names out of ${synapseConfig}`),
        )
      const notes = notesOf(changed, decided)
      if (copy && copy.sha256 === now?.sha256) return noting(converged(`kept in ${backup}`), notes)
      // It holds secrets: only root can look into the folder, and it is closed there too.
      const run = sh`${previous.mkdir} && cp -p --backup=numbered ${synapseConfig} ${backup} && chown root: ${backup} && chmod 600 ${backup}`
      const without = more.length > 0 ? `; the new one does without ${more.join(', ')}` : ''
      return noting(changes([create(`${backup}, a copy of what somebody else wrote${without}`, run)], ''), notes)
    },
  })
}

/** What others notice when it has another value, and cannot be kept by a file of the user's. */
const kept = 'to keep one, set it in the file of SYNAPSE_EXTRA_CONFIG_FILE'
const noticed: Readonly<Record<string, string>> = {
  listeners: 'whoever asks Synapse there gets no answer; the deployment has one listener, behind nginx',
  public_baseurl: `clients are told another address; ${kept}`,
}

/** Each setting in force that gets another value, by its file. */
function notesOf(changed: readonly ChangedSetting[], decided: AdoptionOptions['decided']): string[] {
  const say = ({ name, before, after }: ChangedSetting) =>
    before === undefined ? `${name} (not shown)` : `${name} ${before} → ${after}`
  const reasons = { ...decided, ...noticed }
  const others = changed.filter(({ name }) => !Object.hasOwn(reasons, name))
  const paths = [...new Set(others.map(({ path }) => path))]
  const told = paths.map((path) => {
    const list = others.filter((one) => one.path === path).map(say)
    return `what ${path} says will have another value: ${list.join('; ')}; ${kept}`
  })
  const alone = changed.filter(({ name }) => Object.hasOwn(reasons, name))
  return [...alone.map((one) => `${one.path}: ${say(one)}: ${reasons[one.name]}`), ...told]
}
