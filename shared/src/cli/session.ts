import type { Check } from '../engine/check.ts'
import type { Emit } from '../engine/events.ts'
import { Failure } from '../engine/failure.ts'
import type { Plan, Work } from '../engine/plan.ts'
import type { Script } from '../engine/script.ts'
import { setInJob } from '../env/judge.ts'
import { loadEnv } from '../env/load.ts'
import { sampleEnv } from '../env/sample.ts'
import { secretTexts } from '../env/secret-texts.ts'
import type { EnvOf, Problem, Purpose, Schema, Warning } from '../env/variable.ts'
import { maskForRunner } from '../report/outlet.ts'
import { inEnvironment } from './in-environment.ts'
import { type Call, usage } from './options.ts'
import { stateFolder } from './paths.ts'
import type { PlanToSave } from './plan-file.ts'
import { hasAnyEnvironment, hasEnvironment, runsBefore } from './root-run.ts'
import type { Signals } from './signals.ts'
import { strangeTag } from './strange-tag.ts'
import type { Opened, Workspace } from './workspace.ts'

/** One call of the command line: what its commands work with. */
export interface Session extends Call {
  readonly workspace: Workspace
  readonly command: string
  /** The npm script that deploys it. */
  readonly npm: string
  readonly processEnv: NodeJS.ProcessEnv
  readonly root: string
  readonly emit: Emit
  readonly signals: Signals
  /** Targets to close at the end, however it ends. */
  readonly cleanup: (() => Promise<void>)[]
  /** It runs together with other workspaces. */
  readonly together?: Together
}

/** What a run has to do with those of other workspaces in the same process. */
export interface Together {
  /** Whether another workspace is planned or deployed before this one. */
  runsBefore(workspace: string): boolean
  /** What is planned is deployed next: the environment must do for that. */
  readonly forDeploy?: boolean
  /** Gets a yes for a plan, or throws: asked once for all of them. */
  agree?(plan: Plan): Promise<void>
  /** Keeps its plan, to be saved with the others; `work` is what it is of. */
  keep?(plan: Plan, about: PlanToSave['about'], work: readonly Work[]): void
}

export interface Loaded extends Opened<unknown> {
  readonly env: EnvOf<Schema>
  readonly offline: boolean
  /** Planned for sample values: nobody has configured it. */
  readonly samples: boolean
}

/**
 * Loads the environment and opens the workspace with it. With no environment at all a plan is made for the sample
 * values against blank targets, and says so loudly. `also` names what a command needs besides what `access` does: all
 * that it uses and that a deployment must have.
 */
export function open(session: Session, purpose: Purpose, also: readonly string[] = []): Loaded {
  const { workspace, options, emit } = session
  const loaded = readEnv(session, purpose, also)
  const first =
    purpose === 'plan' &&
    loaded.unconfigured &&
    options.env === undefined &&
    (options.offline || !session.processEnv.CI)
  if (first) {
    emit({
      type: 'message',
      level: 'warn',
      text: `NO ENVIRONMENT: this plan uses sample values and empty targets. It reads no file and connects to nothing. To plan your own: ${firstFile(workspace.name)}`,
    })
  } else {
    tellWarnings(loaded.warnings, emit)
    if (loaded.problems) throw problemFailure(loaded.problems, session, loaded.unconfigured)
  }
  if (session.processEnv.GITHUB_ACTIONS === 'true') for (const text of secretTexts(loaded.values)) maskForRunner(text)
  const env = first || !loaded.env ? sampleEnv(workspace.schema) : guarded(loaded.env, loaded.spared, session)
  const offline = first || options.offline === true
  const opened = workspace.open({
    env,
    offline,
    environment: options.env,
    workspaceOptions: session.workspaceOptions,
    runsBefore: (name) =>
      session.together?.runsBefore(name) ?? runsBefore(session.processEnv, session.root, name, options.env),
    folder: stateFolder(session.root),
    tell: (text) => emit({ type: 'message', level: 'warn', text }),
  })
  session.cleanup.push(...opened.targets.map((target) => () => target.close()))
  return { ...opened, env, offline, samples: first }
}

/** With what was not asked for: whoever uses it all the same learns what is wrong with it. */
function guarded(env: EnvOf<Schema>, spared: ReadonlyMap<string, Problem>, asked: Asked): EnvOf<Schema> {
  for (const [name, problem] of spared)
    Object.defineProperty(env, name, {
      enumerable: true,
      get() {
        throw problemFailure([problem], asked)
      },
    })
  return env
}

/** What of a session an environment is read by. */
type Reader = Pick<Session, 'workspace' | 'root' | 'processEnv' | 'options'> & Partial<Pick<Session, 'command' | 'npm'>>

/** Reads the environment of a session's workspace. */
export function readEnv(
  { workspace, root, processEnv, options, command, npm }: Reader,
  purpose: Purpose,
  also: readonly string[] = [],
) {
  const name = options.env === undefined ? {} : { name: options.env }
  const asks = { command: command === 'deploy' ? npm : command }
  const unjudged = options['skip-validation'] === true
  const { offline } = options
  return loadEnv({ schema: workspace.schema, root, processEnv, purpose, also, unjudged, offline, ...asks, ...name })
}

/**
 * Whether a run over all workspaces leaves this one out, since nobody has set it up while others are; says so. Where
 * no workspace is, each tells what is missing, as it does alone.
 */
export function isLeftOut(session: Session): boolean {
  const { workspace, root, options, emit } = session
  const { name } = workspace
  if (hasEnvironment(root, name, options.env) || !hasAnyEnvironment(root)) return false
  if (options.env === undefined && !readEnv(session, 'plan').unconfigured) return false
  const how = firstFile(name, options.env)
  emit({ type: 'message', level: 'info', text: `${name}: not configured, skipped (${how})` })
  return true
}

/** The command that makes a workspace's first environment file, or that of a named environment. */
export const firstFile = (workspace: string, environment?: string): string =>
  inEnvironment(`npm run validate -w ${workspace} -- --generate`, environment)

export function tellWarnings(warnings: readonly Warning[], emit: Emit): void {
  for (const { message, remedy, variable, file } of warnings) {
    const said = `${variable ?? file ?? ''} ${message}`.trim()
    emit({ type: 'message', level: 'warn', text: remedy ? `${said}; ${remedy}` : said })
  }
}

/** Whose environment was read: of which workspace, and by which name. */
type Asked = Pick<Session, 'workspace' | 'options'>

/** All problems of an environment as one failure. */
export function problemFailure(problems: readonly Problem[], asked: Asked, unconfigured = false): Failure {
  const { workspace, options } = { ...asked, workspace: asked.workspace.name }
  const [only] = problems
  // All is told by it: there is nothing else to list, and nothing else that would mend it.
  if (only?.variable === '--env' && problems.length === 1)
    return new Failure('error', `--env ${only.message}`, only.remedy === undefined ? {} : { remedy: only.remedy })
  const lines = problems.flatMap(({ variable, message, example, remedy, file }) => [
    `${variable} ${message}${file ? ` (${file})` : ''}`,
    ...(remedy
      ? [`    ${inEnvironment(remedy, options.env)}`]
      : example
        ? [`    for example ${variable}=${example}`]
        : []),
  ])
  const start = `${firstFile(workspace)} makes it, with its secrets; fill in the rest.`
  const sample = ' For sample values: -- --offline with plan.'
  return new Failure(
    'error',
    `the environment of ${workspace} has ${problems.length} problem${problems.length === 1 ? '' : 's'}`,
    {
      detail: lines,
      remedy: problems.some(({ remedy }) => remedy?.startsWith(setInJob))
        ? `Give the job its variables and secrets (docs/ci.md).${unconfigured ? sample : ''}`
        : unconfigured
          ? `There is none yet: ${start}${sample}`
          : inEnvironment(
              `npm run validate -w ${workspace} lists them again, and npm run validate -w ${workspace} -- --generate generates missing secrets`,
              options.env,
            ),
    },
  )
}

/** The scripts that `--tags` and `--skip-tags` choose. Throws a usage failure for a tag that no script has. */
export function chooseScripts(
  scripts: readonly Script<unknown>[],
  tags?: readonly string[],
  skip?: readonly string[],
): readonly Script<unknown>[] {
  const known = [...new Set(scripts.flatMap((script) => script.tags))]
  for (const tag of [...(tags ?? []), ...(skip ?? [])]) {
    if (known.includes(tag)) continue
    throw strangeTag(tag, known)
  }
  const has = (script: Script<unknown>, list: readonly string[]) => script.tags.some((tag) => list.includes(tag))
  const chosen = scripts.filter((script) => (!tags || has(script, tags)) && !(skip && has(script, skip)))
  if (chosen.length === 0) throw usage('--tags and --skip-tags leave no script', `There are: ${known.join(', ')}`)
  return chosen
}

/**
 * The checks that go with the chosen scripts: one whose id begins with the name or a tag of a script
 * (`postgresql.extension`) goes with it; one that belongs to no script is always made.
 */
export function chooseChecks(
  checks: readonly Check[],
  scripts: readonly Script<unknown>[],
  chosen: readonly Script<unknown>[],
): readonly Check[] {
  const tagsOf = (list: readonly Script<unknown>[]) => new Set(list.flatMap(({ tags }) => tags))
  const [known, kept] = [tagsOf(scripts), tagsOf(chosen)]
  return checks.filter(({ id }) => {
    const [owner = ''] = id.split('.')
    return kept.has(owner) || !known.has(owner)
  })
}
