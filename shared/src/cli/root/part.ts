import { commandsOf } from '../help.ts'
import { type Call, optionsOf, usage } from '../options.ts'
import { assertEnvironment, readPlans } from '../plan-file.ts'
import { strangeTag } from '../strange-tag.ts'
import type { Member } from './members.ts'

/** Who takes part in a run over all, and why the others do not. */
interface Part {
  readonly running: readonly Member[]
  readonly left: readonly { readonly name: string; readonly why: string }[]
}

/**
 * Leaves out the workspaces that the command is not for: those that do not have it, that have none of the chosen scripts,
 * that are not in the saved plan. Throws a usage failure where none is left.
 */
export function takePart(members: readonly Member[], command: string, { options }: Call, folder: string): Part {
  assertTags(members, [...(options.tags ?? []), ...(options['skip-tags'] ?? [])])
  const saved = options.plan === undefined ? undefined : savedPlans(options.plan, folder, options.env)
  const lacking = saved?.find(({ workspace }) => !members.some((member) => nameOf(member) === workspace))
  if (lacking)
    throw usage(
      `--plan ${options.plan} has a plan of ${lacking.workspace}, which is not configured here`,
      'Plan again.',
    )
  const whyNot = (member: Member): string | undefined => {
    if (!Object.hasOwn(commandsOf(member.entry), command)) return lacks(command)
    if (
      saved &&
      !saved.some(({ workspace, environment }) => workspace === nameOf(member) && environment === options.env)
    )
      return 'not in the plan, skipped'
    const tags = new Set(tagsOf(member))
    if (options.tags && !options.tags.some((tag) => tags.has(tag))) return 'no script selected, skipped'
    const scripts = member.workspace.scripts.filter(
      (script) => !script.tags.some((tag) => options['skip-tags']?.includes(tag)),
    )
    return scripts.length === 0 ? 'no script selected, skipped' : undefined
  }
  const judged = members.map((member) => ({ member, why: whyNot(member) }))
  const running = judged.flatMap(({ member, why }) => (why === undefined ? [member] : []))
  const left = judged.flatMap(({ member, why }) => (why === undefined ? [] : [{ name: nameOf(member), why }]))
  // To look at what there is none of is no mistake.
  const isLook = lookCommands.includes(command) && judged.every(({ why }) => why === lacks(command))
  if (running.length === 0 && !isLook)
    throw usage(
      `${command} applies to no configured workspace`,
      left.map(({ name, why }) => `${name}: ${why}`).join('; '),
    )
  return { running, left }
}

function savedPlans(path: string, folder: string, environment: string | undefined) {
  const file = readPlans(path, folder)
  assertEnvironment(file, path, environment)
  return file.plans
}

/** The commands over all that show what is there: what they print is their result. */
export const lookCommands: readonly string[] = ['status', 'output', 'history']

const lacks = (command: string) => `has no ${command}, skipped`

const nameOf = ({ workspace }: Member) => workspace.name
const tagsOf = ({ workspace }: Member) => workspace.scripts.flatMap(({ tags }) => tags)

function assertTags(members: readonly Member[], tags: readonly string[]): void {
  const known = [...new Set(members.flatMap(tagsOf))]
  const strange = tags.find((tag) => !known.includes(tag))
  if (strange === undefined) return
  throw strangeTag(strange, known)
}

/** The call as one workspace understands it: with its own options and tags alone, and without what is for all. */
export function callOf(member: Member, call: Call, command: string): Call {
  const { out: _, html: __, junit: ___, tags, 'skip-tags': skip, ...options } = call.options
  const known = new Set(tagsOf(member))
  const own = (list: readonly string[] | undefined) => list?.filter((tag) => known.has(tag))
  const skipped = own(skip)
  const names = new Set(optionsOf(command, member.entry).map(([name]) => name))
  return {
    args: call.args,
    options: {
      ...options,
      ...(tags && { tags: own(tags) as string[] }),
      ...(skipped && skipped.length > 0 && { 'skip-tags': skipped }),
    },
    workspaceOptions: Object.fromEntries(Object.entries(call.workspaceOptions).filter(([name]) => names.has(name))),
  }
}
