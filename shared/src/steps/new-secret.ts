import { text } from '../command/command.ts'
import { derive, type Secret, variablesOf, weaknessOf, weakRemedyOf } from '../command/secret.ts'
import { sh, withStdin } from '../command/sh.ts'
import { converged, type Decision, type Question, refuse, type Step, step } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'

/** Those of the secrets that are easy to guess. */
export const weakSecrets = (...secrets: readonly Secret[]): readonly Secret[] =>
  secrets.filter((value) => weaknessOf(value) !== undefined)

/**
 * Refuses weak secrets that a plan would bring into force: of those that are, their owner is only told. Undefined where
 * none of them is weak. A step gives those that the server does not have yet.
 */
export function refuseWeak(secrets: readonly Secret[]): Decision | undefined {
  const [weak] = weakSecrets(...secrets)
  if (weak === undefined) return undefined
  return refuse(
    `${variablesOf(weak).join(', ') || 'the secret'} is new here, and weak: it ${weaknessOf(weak)}`,
    `To mend it, ${weakRemedyOf(weak) ?? 'write a stronger one'}. With --skip-validation it is taken all the same.`,
  )
}

/** Weak secrets that a configuration file of root's holds already. One that it does not hold is refused. */
export function weakSecretsInForce(on: Target, path: string, secrets: readonly Secret[]): Step {
  const ask = Object.fromEntries(secrets.map((value, index) => [String(index), isInFile(path, value)]))
  return step({
    id: `weak secrets in ${path}`,
    on,
    ask,
    plan: (now) => refuseWeak(secrets.filter((_, index) => !now[String(index)])) ?? converged('in force already'),
  })
}

/** Whether a file holds a secret, as it is or as YAML quotes it. */
function isInFile(path: string, value: Secret): Question<boolean> {
  const quoted = derive((open) => JSON.stringify(open(value)).slice(1, -1))
  return {
    command: withStdin(sh`[ -e ${path} ] || exit 1; grep -qF -f - -- ${path}`, text`${value}\n${quoted}\n`),
    parse({ code, stderr }) {
      if (code > 1 && code !== 127) throw new Error(stderr.trim() || `exit code ${code}`)
      return code === 0
    },
  }
}
