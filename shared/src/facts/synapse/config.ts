import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Text } from '../../command/command.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import { raw, type Shell, sh, withStdin } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export const synapseFolder = '/etc/matrix-synapse'
export const synapseConfig = `${synapseFolder}/homeserver.yaml`
export const synapseDropIns = `${synapseFolder}/conf.d`

/** How homeserver.yaml begins where the deployment wrote it. */
export const synapseMark = '# Written by the deployment'

/** Where a configuration says that Synapse keeps its data, without the password. */
export interface DatabaseSetting {
  /** `psycopg2`, `sqlite3`. */
  readonly name?: string
  readonly dbname?: string
  /** The same of psycopg2; of sqlite3 the path of the file. */
  readonly database?: string
  readonly user?: string
  readonly host?: string
  readonly port?: string
  /** Whether there is one: it holds the password. */
  readonly dsn?: string
  /** How many users the file of sqlite3 holds: a number, `none` without a file, or `unknown`. */
  readonly users?: string
}

export interface ConfigFile {
  readonly path: string
  /** The names at its top. */
  readonly keys: readonly string[]
  /** Those of the keys that are set to nothing: `[]` or `{}`. */
  readonly empty: readonly string[]
  /** Why nobody knows what it says: then nothing may follow from what it does not seem to say. */
  readonly unread?: string
  /** Of these names the values: nothing that is secret. */
  readonly values: Readonly<Record<'server_name' | 'signing_key_path' | 'media_store_path', string | undefined>>
  readonly database?: DatabaseSetting
  /** Who wrote homeserver.yaml: the deployment, Debian's package, or somebody else. */
  readonly by: 'deployment' | 'package' | 'other'
}

/** The program that reads the configuration as Synapse does; its head says how it is called. */
const reader = readFileSync(join(import.meta.dirname, 'read-config.py'), 'utf8')

/** Shell text that has the program read the configuration. Nothing is read where there is none, and 3 where nobody can. */
export const readConfig = (...words: readonly string[]): Shell =>
  sh`any=; for f in ${synapseConfig} ${raw(`${synapseDropIns}/*.yaml`)}; do [ ! -e "$f" ] || any=1; done
[ -z "$any" ] || { command -v python3 >/dev/null || exit 3; cd / && python3 -I -B -c ${reader} ${words}; }`

/**
 * The files of Synapse's configuration in the order in which it reads them: a later one wins. They are read by YAML's own
 * parser; secrets stay there.
 */
export const configFiles: Question<readonly ConfigFile[]> = {
  command: readConfig('look', synapseMark),
  parse({ code, stdout, stderr }) {
    if (code === 127) return []
    if (code === 3) return [configFile(JSON.stringify({ path: synapseConfig, unread: 'no Python on the host' }))]
    if (code !== 0) throw new Error(`Synapse's configuration cannot be read: ${stderr.trim().split('\n').at(-1)}`)
    return stdout.split('\n').filter(Boolean).map(configFile)
  },
}

function configFile(line: string): ConfigFile {
  const { values = {}, ...said } = jsonAnswer<Partial<ConfigFile> & { readonly path: string }>(
    line,
    "Synapse's configuration",
  )
  const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }
  return { keys: [], empty: [], by: 'other', ...said, values: { ...unset, ...values } }
}

/** The names at the top of one of these files; none where it is not there. */
export const settingNames = (path: string): Question<readonly string[]> => ({
  command: configFiles.command,
  parse: (answer) => configFiles.parse(answer).find((file) => file.path === path)?.keys ?? [],
})

/** A setting that is in force and that another configuration gives another value. */
export interface ChangedSetting {
  readonly name: string
  /** The file that says it. */
  readonly path: string
  /** Its values, in a few words; left out where they may be secret. */
  readonly before?: string
  readonly after?: string
}

/** Which settings in force a new homeserver.yaml, of that content, would give another value. They are compared on the host. */
export function changedSettings(content: Text): Question<readonly ChangedSetting[]> {
  return {
    command: withStdin(readConfig('changed'), content),
    parse({ code, stdout, stderr }) {
      if (code === 127 || code === 3) return []
      if (code !== 0) throw new Error(`Synapse's configuration cannot be read: ${stderr.trim().split('\n').at(-1)}`)
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => jsonAnswer<ChangedSetting>(line, "Synapse's configuration"))
    },
  }
}
