import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Command, Output } from '@infra/shared/command/command'
import { changes, create, type Dependency, type Question, type Step, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { parseEnvText } from '@infra/shared/env/env-text'
import { replaceFile, withValues } from '@infra/shared/env/generate'
import { existingDroplet } from '@infra/shared/facts/digitalocean/droplet'

const variable = 'VALENCE_POD_IP'

/** What is asked of the environment file: the address that it has, or that it shall have another. */
interface EnvFileCommand extends Command {
  readonly request: { readonly kind: 'env-file'; readonly address?: string }
}

const envFileCommand = (address?: string): EnvFileCommand => ({
  line: address === undefined ? `ENV ${variable}` : `ENV ${variable}=${address}`,
  request: { kind: 'env-file', ...(address !== undefined && { address }) },
})

const isEnvFile = (command: Command): command is EnvFileCommand => command.request?.kind === 'env-file'

/** The file that an environment's variables are kept in, as messages show it. */
export const envFile = (environment: string | undefined): string =>
  environment ? `.env.pod.${environment}` : '.env.pod'

/** The same target, which also reads and writes one environment file on this machine, by commands of its own kind. */
export function withEnvFile(target: Target, path: string): Target {
  return {
    ...target,
    async ask(questions) {
      const rest = [...(await target.ask(questions.filter((question) => !isEnvFile(question))))]
      return questions.map((question) => (isEnvFile(question) ? answer(read(path)) : (rest.shift() as Output)))
    },
    async run(commands, hear) {
      const [command] = commands
      if (!command || !isEnvFile(command)) return target.run(commands, hear)
      write(path, command.request.address ?? '')
      return [answer('')]
    },
  }
}

/** The droplet's address in the environment file, where the pod's deployment finds it. */
export function podAddressIn(
  on: Target,
  file: string,
  desired: { droplet: string; dependsOn: readonly Dependency[] },
): Step {
  const written: Question<string> = { command: envFileCommand(), parse: ({ stdout }) => stdout }
  return step({
    id: `${variable} in ${file}`,
    on,
    ask: { droplet: existingDroplet(desired.droplet), written },
    plan({ droplet: { address }, written }) {
      const line = envFileCommand(address)
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

const answer = (stdout: string): Output => ({ code: 0, stdout, stderr: '' })

const assignment = (text: string) => parseEnvText(text, homedir()).assignments.findLast(({ name }) => name === variable)

function read(path: string): string {
  return existsSync(path) ? (assignment(readFileSync(path, 'utf8'))?.value ?? '') : ''
}

/** The rest of the file stays as it is. */
function write(path: string, address: string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  replaceFile(path, withValues(text, new Map([[variable, address]]), homedir()))
}
