import { exitCodes } from '../engine/failure.ts'
import { type CommandName, optionsOf } from './options.ts'

/** What each command does, in a line. */
export const commands: Readonly<Record<CommandName, string>> = {
  validate: 'judge the environment; generate missing secrets',
  plan: 'show what deploy would change, changing nothing',
  deploy: 'make it so: plan, ask, apply, verify',
  verify: 'check a deployed workspace, from inside and outside',
  unlock: 'remove the lock that a lost run left behind',
}

export interface Described {
  readonly name: string
  readonly about: string
  readonly scripts: readonly { readonly name: string; readonly about: string; readonly tags: readonly string[] }[]
}

/** The help of a command. */
export function helpText(command: CommandName, workspace: Described): string {
  const options = optionsOf(command).map(([name, { short, value, help }]) => {
    const flags = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`
    return `  ${flags.padEnd(28)}${help}`
  })
  const scripts = workspace.scripts.map(({ name, about, tags }) => {
    const more = tags.filter((tag) => tag !== name)
    return `  ${name.padEnd(28)}${about}${more.length > 0 ? ` (tags: ${more.join(', ')})` : ''}`
  })
  return [
    `${workspace.name} ${command}: ${commands[command]}`,
    '',
    `Usage: npm run ${command} -w ${workspace.name} -- [options]`,
    '',
    'Options:',
    ...options,
    ...(command === 'plan' || command === 'deploy' ? ['', 'Scripts, in order:', ...scripts] : []),
    '',
    `Exit codes: 0 ok, ${exitCodes.error} error, ${exitCodes.changes} changes pending (--detailed-exitcode), ${exitCodes.verify} verify failed, ` +
      `${exitCodes.unreachable} unreachable,`,
    `  ${exitCodes.locked} locked by another run, ${exitCodes.stale} stale plan, ${exitCodes.usage} usage, ${exitCodes.interrupted}/${exitCodes.terminated} interrupted`,
    '',
  ].join('\n')
}

/** The help of a workspace. */
export function overview(workspace: Described): string {
  return [
    `${workspace.name}: ${workspace.about}`,
    '',
    ...Object.entries(commands).map(([name, about]) => `  npm run ${name.padEnd(10)}-w ${workspace.name}   ${about}`),
    '',
    `Options go after --: npm run plan -w ${workspace.name} -- --help`,
    '',
  ].join('\n')
}
