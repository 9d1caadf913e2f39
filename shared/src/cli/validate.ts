import { exportLines } from '../env/export.ts'
import { generateMissing } from '../env/generate.ts'
import { print } from '../report/print.ts'
import { problemFailure, readEnv, type Session, tellWarnings } from './session.ts'

/** `validate`: judges the environment; `--generate` makes what is missing, `--export` prints it for a shell. */
export async function runValidate(session: Session): Promise<number> {
  const { workspace, options, emit } = session
  if (options.generate) generate(session)
  const loaded = readEnv(session, 'validate')
  tellWarnings(loaded.warnings, emit)
  if (loaded.problems) throw problemFailure(loaded.problems, workspace.name, loaded.unconfigured)
  if (options.export) {
    print(exportLines(loaded.values).join('\n'))
  } else {
    const from = loaded.files.length > 0 ? loaded.files.join(', ') : 'the process environment'
    const count = Object.keys(loaded.sources).length
    emit({
      type: 'message',
      level: 'info',
      text: `${workspace.name}: the environment is valid (${count} variables from ${from})`,
    })
  }
  return 0
}

function generate({ workspace, options, root, processEnv, emit }: Session): void {
  const name = options.env === undefined ? {} : { name: options.env }
  const { file, written, created } = generateMissing({ schema: workspace.schema, root, processEnv, ...name })
  if (created) emit({ type: 'message', level: 'info', text: `made ${file} from the example` })
  const text = written.length > 0 ? `generated into ${file}: ${written.join(', ')}` : 'no secret is missing'
  emit({ type: 'message', level: 'info', text })
}
