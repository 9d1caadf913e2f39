import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Command, Output } from '@infra/shared/command/command'
import { changes, create, type Dependency, type Question, type Step, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { parseEnvText } from '@infra/shared/env/env-text'
import { replaceFile, withValues } from '@infra/shared/env/generate'
import { readText } from '@infra/shared/env/read-text'
import { existingDroplet } from '@infra/shared/facts/digitalocean/droplet'
import { keyPrint, knownKeys, shownKey } from '@infra/shared/targets/ssh/host-keys'

type Name = 'VALENCE_POD_IP' | 'VALENCE_SSH_HOST_KEY'

/** What a variable shall be: a value, or the host key that a server shows. */
type Wanted = { readonly value: string } | { readonly host: string; readonly port: number }

/** What is asked of the environment file: the value that a variable has, or that it shall have another. */
interface EnvFileCommand extends Command {
  readonly request: { readonly kind: 'env-file'; readonly name: Name; readonly wanted?: Wanted }
}

const envFileCommand = (name: Name, wanted?: Wanted): EnvFileCommand => ({
  line: `ENV ${name}${wanted === undefined ? '' : `=${'value' in wanted ? wanted.value : `$(ssh-keyscan -p ${wanted.port} ${wanted.host})`}`}`,
  request: { kind: 'env-file', name, ...(wanted !== undefined && { wanted }) },
})

const isEnvFile = (command: Command): command is EnvFileCommand => command.request?.kind === 'env-file'

/** The file that an environment's variables are kept in, as messages show it. */
export const envFile = (environment: string | undefined): string =>
  environment ? `.env.pod.${environment}` : '.env.pod'

/**
 * The same target, which also reads and writes one environment file on this machine, by commands of its own kind. A host
 * key that `knownHosts` has already is taken from there.
 */
export function withEnvFile(target: Target, path: string, knownHosts: string): Target {
  return {
    ...target,
    async ask(questions) {
      const rest = [...(await target.ask(questions.filter((question) => !isEnvFile(question))))]
      return questions.map((question) =>
        isEnvFile(question) ? answer(read(path, question.request.name)) : (rest.shift() as Output),
      )
    },
    async run(commands, hear) {
      const [command] = commands
      if (!command || !isEnvFile(command)) return target.run(commands, hear)
      const { name, wanted } = command.request
      const value = wanted && ('value' in wanted ? wanted.value : await keyOf(wanted, knownHosts))
      if (value === undefined) return [{ code: 1, stdout: '', stderr: 'it shows no host key' }]
      if (name === 'VALENCE_SSH_HOST_KEY') hear(`host key ${keyPrint(value)}`)
      write(path, name, value)
      return [answer('')]
    },
  }
}

const keyOf = async ({ host, port }: { host: string; port: number }, knownHosts: string) =>
  knownKeys(knownHosts, host, port)[0] ?? (await shownKey(host, port))

/** The droplet's address in the environment file, where the pod's deployment finds it. */
export function podAddressIn(
  on: Target,
  file: string,
  desired: { droplet: string; dependsOn: readonly Dependency[] },
): Step {
  const variable = 'VALENCE_POD_IP'
  const written = writtenValue(variable)
  return step({
    id: `${variable} in ${file}`,
    on,
    ask: { droplet: existingDroplet(desired.droplet), written },
    plan({ droplet: { address }, written }) {
      const line = envFileCommand(variable, { value: address })
      if (written === address) return changes([], address)
      return changes(
        written === ''
          ? [create(`${variable}=${address} in ${file}`, line)]
          : [update(`${variable} ${written} → ${address} in ${file}`, line)],
        '',
      )
    },
    dependsOn: desired.dependsOn,
  })
}

/**
 * The droplet's host key in the environment file, as the one who makes the droplet sees it: whoever deploys later, from
 * whichever machine, believes no other. One that is there stays.
 */
export function podHostKeyIn(
  on: Target,
  file: string,
  desired: { droplet: string; port: number; dependsOn: readonly Dependency[] },
): Step {
  const variable = 'VALENCE_SSH_HOST_KEY'
  return step({
    id: `${variable} in ${file}`,
    on,
    ask: { droplet: existingDroplet(desired.droplet), written: writtenValue(variable) },
    plan({ droplet: { address }, written }) {
      if (written !== '') return changes([], keyPrint(written))
      const run = envFileCommand(variable, { host: address, port: desired.port })
      const explain = ({ stderr }: Output) => `the host key of ${address} cannot be noted: ${stderr}`
      return changes([create(`${variable} of ${address} in ${file}`, run, { explain })], '')
    },
    dependsOn: desired.dependsOn,
  })
}

const writtenValue = (name: Name): Question<string> => ({
  command: envFileCommand(name),
  parse: ({ stdout }) => stdout,
})

const answer = (stdout: string): Output => ({ code: 0, stdout, stderr: '' })

function read(path: string, name: Name): string {
  if (!existsSync(path)) return ''
  return (
    parseEnvText(readText(path, { mark: true }), homedir()).assignments.findLast((entry) => entry.name === name)
      ?.value ?? ''
  )
}

/** The rest of the file stays as it is. */
function write(path: string, name: Name, value: string): void {
  const text = existsSync(path) ? readText(path, { mark: true }) : ''
  replaceFile(path, withValues(text, new Map([[name, value]]), homedir()))
}
