import type { z } from 'zod'
import type { Assignment } from './env-text.ts'
import type { EnvFiles } from './files.ts'
import type { Found } from './find.ts'
import { isPlaceholder } from './placeholder.ts'
import { type Problem, type Purpose, presence, type Schema, type VariableMeta } from './variable.ts'

export interface Case {
  readonly schema: Schema
  readonly files: EnvFiles
  readonly purpose: Purpose
  /** What asks, for messages. */
  readonly command?: string
  readonly name?: string
  /** A job of CI asks: it has variables and secrets of its own, and a file would be gone with it. */
  readonly inJob?: boolean | undefined
  /** It connects to nothing. */
  readonly offline?: boolean
}

/** What a job of CI does about a variable that it lacks. A secret made in it would be another in the next. */
export const setInJob = "set it in the job's variables or secrets"

/** What can be wrong with one variable. Messages are what follows its name, and never quote what it holds. */
export interface Judge {
  /** It is not set, and is needed. */
  missing(name: string, type: z.ZodType, meta: VariableMeta): Problem | undefined
  /** It is set to a placeholder, or in a way that is not one plain value. */
  misread(name: string, meta: VariableMeta, found: Found): Problem | undefined
  /** Its type refuses it. */
  invalid(
    name: string,
    type: z.ZodType,
    meta: VariableMeta,
    found: Found | undefined,
    issue: z.core.$ZodIssue | undefined,
  ): Problem
}

/** The file that what is missing may be written to; none in a job of CI that has not written it. */
export const fileIn = ({ files, inJob }: Pick<Case, 'files' | 'inJob'>): string | undefined =>
  inJob && !files.read.some(({ name }) => name === files.main) ? undefined : files.main

/** The judge of one load. */
export function judgeOf({ schema, files, purpose, command = purpose, name: environment, inJob, offline }: Case): Judge {
  const flags = environment === undefined ? '' : ` --env ${environment}`
  const generate = `npm run validate -w ${schema.workspace} --${flags} --generate`

  const ofRandom = (variable: string, meta: VariableMeta, { entry }: Found): string => {
    const alone = leftEmpty(meta)
    if (alone) return entry ? alone : `unset ${variable}, and ${alone}`
    if (!meta.generate) return 'write the value itself'
    const known = meta.deployed ?? 'write the value that is deployed'
    return `${known}; where nothing is deployed, ${entry ? '' : `unset ${variable}, `}empty the line, then: ${generate}`
  }

  return {
    missing(variable, type, meta) {
      // A job that lost its host's address must not pass for one that plans a new host.
      const isLost = inJob && purpose === 'plan' && !offline && meta.neededFor?.includes('deploy')
      if (presence(type).optional && !meta.neededFor?.includes(purpose) && !isLost) return undefined
      const isNamed = purpose === 'access' || (presence(type).optional && purpose !== 'validate')
      const message = isNamed ? `is not set, and ${command} needs it` : 'is not set'
      if (isLost && presence(type).optional)
        return { variable, message, example: meta.example, remedy: `${setInJob}; -- --offline plans for a new host` }
      if (fileIn({ files, inJob }) === undefined) return { variable, message, example: meta.example, remedy: setInJob }
      const remedy = meta.remedy ?? (meta.generate ? generate : `set it in ${files.main}`)
      return { variable, message, example: meta.example, remedy, file: files.main }
    },

    misread(variable, meta, found) {
      const about = { variable, example: meta.example, ...fileOf(found) }
      if (isPlaceholder(found.text, meta)) {
        const known =
          meta.remedy ??
          leftEmpty(meta) ??
          (meta.generate ? `leave it empty, then: ${generate}` : `write your own value`)
        // A plan alone does without it.
        const spared = meta.neededFor?.includes('deploy') && !meta.neededFor.includes('plan')
        const remedy = spared ? `${known}; leave it empty to plan a new host` : known
        return { ...about, message: "still holds the example's placeholder", remedy }
      }
      const random = files.read.find((file) => file.values.get(variable)?.random)
      if (random) {
        const message = 'is a command: what is deployed is what a shell made of it when the file was sourced'
        return { ...about, message, remedy: ofRandom(variable, meta, found), file: random.name }
      }
      const trouble = found.entry && troubleOf(found.entry, variable)
      return trouble && { ...about, ...trouble }
    },

    invalid(variable, type, meta, found, issue) {
      const known = (issue?.code === 'custom' ? issue.params?.remedy : undefined) ?? leftEmpty(meta)
      const made = meta.generate && `empty it, then: ${generate}; where it is deployed, the next deploy rotates it`
      const example = exampleFor(type, meta, found)
      const shape = isShape(meta.example, found) ? `write one such as ${meta.example}` : 'write your own value'
      const remedy = known ?? made ?? (example === undefined ? shape : undefined)
      return {
        variable,
        message: issue?.message ?? 'is not valid',
        ...(example !== undefined && { example }),
        ...(typeof remedy === 'string' ? { remedy } : {}),
        ...fileOf(found),
      }
    },
  }
}

/** Of what the cluster holds, that nothing need be written: a value made here would not be the one in force. */
const leftEmpty = ({ adoptedBy }: VariableMeta): string | undefined =>
  adoptedBy &&
  `empty it: what the cluster holds stays (${adoptedBy} reads it from what Terraform deployed), and the first deploy makes it`

/** The example of a variable where it may be typed as it stands: it is a value, and another one than what failed. */
function exampleFor(type: z.ZodType, meta: VariableMeta, found: Found | undefined): string | undefined {
  const { example, path } = meta
  if (path || found?.text === example || isPlaceholder(example, meta)) return undefined
  return type.safeParse(example).success ? example : undefined
}

/** Whether an example shows at least how a value begins (`sk-proj-...`), and is not what failed. */
const isShape = (example: string, found: Found | undefined): boolean =>
  /^[^\s.]+\.\.\.$/.test(example) && found?.text !== example

const fileOf = (found: Found | undefined) => (found?.entry ? { file: found.source } : {})

/** Why an assignment is not one plain value to everybody who reads the file. */
function troubleOf(
  { value, shell, line }: Assignment,
  variable: string,
): { message: string; remedy: string } | undefined {
  const quote = 'put the value in single quotes'
  if ('value' in shell) {
    if (shell.value === value) return undefined
    const message = `can be read in two ways (line ${line}): a shell reads #, \\ and quotes inside a value differently`
    return { message, remedy: `${quote}; if it holds a single quote, set it in the environment` }
  }
  switch (shell.trouble) {
    case 'several words':
      return undefined
    case 'substitution':
      return {
        message: `is a command substitution (line ${line}), which is not run`,
        remedy: `write the value itself, or drop the line and set it in your shell: export ${variable}="$(…)"`,
      }
    case 'variable':
      return {
        message: `refers to another variable (line ${line}); only $HOME is expanded`,
        remedy: `write the value itself; if the $ belongs to it, ${quote}`,
      }
    default:
      return { message: `cannot be read by a shell (line ${line}): it holds a quote or an operator`, remedy: quote }
  }
}
