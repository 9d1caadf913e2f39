import { Failure } from '../engine/failure.ts'
import { exportLines } from '../env/export.ts'
import { generateMissing } from '../env/generate.ts'
import { importTfvars } from '../env/import.ts'
import { readText } from '../env/read-text.ts'
import { printOpenly } from '../report/outlet.ts'
import { problemFailure, readEnv, type Session, tellWarnings } from './session.ts'

/** `validate`: judges the environment; `--generate` makes what is missing, `--export` prints it for a shell. */
export async function runValidate(session: Session): Promise<number> {
  const { workspace, options, emit } = session
  if (options['from-tfvars'] !== undefined) takeOver(session, options['from-tfvars'])
  if (options.generate) generate(session)
  const loaded = readEnv(session, 'validate')
  tellWarnings(loaded.warnings, emit)
  if (loaded.problems) throw problemFailure(loaded.problems, session, loaded.unconfigured)
  if (options.export) {
    printOpenly(exportLines(loaded.values).join('\n'))
  } else {
    emit({
      type: 'message',
      level: 'info',
      text: `${workspace.name}: the environment is valid (${tellSources(Object.values(loaded.sources))})`,
    })
  }
  return 0
}

/** `12 variables: 10 from .env.stoat, 2 from the process environment`: those that are set, without defaults. */
function tellSources(sources: readonly string[]): string {
  const set = sources.filter((source) => source !== 'default')
  const shown = (source: string) => (source === 'environment' ? 'the process environment' : source)
  const counts = [...new Set(set)].map((one) => `${set.filter((source) => source === one).length} from ${shown(one)}`)
  const variables = `${set.length} variable${set.length === 1 ? '' : 's'}`
  return counts.length > 0 ? `${variables}: ${counts.join(', ')}; the others have their defaults` : 'all defaults'
}

function generate({ workspace, options, root, processEnv, emit }: Session): void {
  const name = options.env === undefined ? {} : { name: options.env }
  const { file, written, created, problems, adopted } = generateMissing({
    schema: workspace.schema,
    root,
    processEnv,
    ...name,
  })
  if (created) emit({ type: 'message', level: 'info', text: `created ${file} from the example` })
  if (problems.length > 0 && written.length === 0 && !created) throw problemFailure(problems, { workspace, options })
  const say = (text: string) => emit({ type: 'message', level: 'info', text })
  if (adopted)
    say(
      `not generated: ${adopted.names.join(', ')}; ${adopted.command} reads them from what is deployed. To make new ones all the same, take line ${adopted.line} out of ${file}`,
    )
  if (written.length > 0) say(`generated into ${file}: ${written.join(', ')}`)
  else if (!adopted) say(`nothing to generate: no secret that this tool makes is missing in ${file}`)
}

function takeOver({ workspace, options, root, emit }: Session, file: string): void {
  const say = (text: string, level: 'info' | 'warn' = 'info') => emit({ type: 'message', level, text })
  const schemas = [workspace.schema]
  const { written, notes, problems } = importTfvars({
    schemas,
    root,
    name: options.env,
    text: readTfvars(file),
  })
  if (problems.length > 0) throw notTaken(file, problems)
  for (const note of notes) say(note, /^left out/.test(note) ? 'info' : 'warn')
  for (const { file: into, names, created } of written)
    say(`${created ? 'made' : 'added to'} ${into}: ${names.join(', ')}`)
  if (written.length === 0) say(`nothing to import from ${file}`)
}

/** Why a file was not taken over, with its first problems: one that is none of Terraform has as many as it has lines. */
function notTaken(file: string, problems: ReturnType<typeof importTfvars>['problems']): Failure {
  const lines = problems.map(({ line, message }) => (line === undefined ? message : `line ${line}: ${message}`))
  const more = lines.length - shownProblems
  const [first, then] = more > 0 ? ['Is it a terraform.tfvars? ', [`and ${more} more lines`]] : ['', []]
  return new Failure('error', `${file} cannot be imported; nothing was written`, {
    detail: [...lines.slice(0, shownProblems), ...then],
    remedy: `${first}Fix these lines, or remove them from a copy of the file, and run again.`,
  })
}

const shownProblems = 8

function readTfvars(file: string): string {
  try {
    return readText(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure('usage', `--from-tfvars ${file} cannot be read (${code})`, {
      remedy: 'Give the path of the terraform.tfvars to import.',
    })
  }
}
