import { exportLines } from '../env/export.ts'
import { generateMissing } from '../env/generate.ts'
import type { Result } from './commands.ts'
import { problemFailure, readEnv, type Session, tellWarnings } from './session.ts'

/** `validate`: judges the environment; `--generate` makes what is missing, `--export` prints it for a shell. */
export async function runValidate(session: Session, print: (line: string) => void): Promise<Result> {
  const { workspace, options, emit, root, processEnv } = session
  if (options.generate) generate(session)
  const loaded = readEnv(session, 'validate')
  tellWarnings(loaded.warnings, emit)
  if (loaded.problems) throw problemFailure(loaded.problems, workspace.name, loaded.unconfigured)
  if (options.export) {
    for (const line of exportLines(loaded.values)) print(line)
  } else {
    const from = loaded.files.length > 0 ? loaded.files.join(', ') : 'the process environment'
    const count = Object.keys(loaded.sources).length
    emit({
      type: 'message',
      level: 'info',
      text: `${workspace.name}: the environment is valid (${count} variables from ${from})`,
    })
  }
  return { exitCode: 0, made: 0 }

  function generate({ emit: tell }: Session): void {
    const name = options.env === undefined ? {} : { name: options.env }
    const { file, written, created } = generateMissing({ schema: workspace.schema, root, processEnv, ...name })
    if (created) tell({ type: 'message', level: 'info', text: `made ${file} from the example` })
    const text = written.length > 0 ? `generated into ${file}: ${written.join(', ')}` : 'no secret is missing'
    tell({ type: 'message', level: 'info', text })
  }
}
