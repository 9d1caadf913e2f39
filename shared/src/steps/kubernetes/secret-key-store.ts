import { kubectlFault } from '../../command/kubectl.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import { stampName } from '../../facts/kubernetes/key-stamp.ts'
import type { KeyStore } from '../aws/iam-keys.ts'

interface SecretStoreOptions {
  readonly namespace: string
  readonly secret: string
  /** The kubeconfig, and the context where it is not the current one of our own file. */
  readonly files: string
  readonly context?: string | undefined
}

/** By this name the key's fields are kept apart from those of the manifests, which do not know it. */
const manager = 'infra-key'

/**
 * Keeps an access key of AWS in a Secret, under the names of the bot's environment, with a stamp that tells which key it
 * is without telling the key. Its secret half is written and never read.
 */
export function secretKeyStore({ namespace, secret, files, context }: SecretStoreOptions): KeyStore {
  const kubectl: Shell = sh`KUBECONFIG=${files} kubectl ${context === undefined ? [] : ['--context', context]}`
  const template = '{{with .data}}{{if index . "AWS_SECRET_ACCESS_KEY"}}{{index . "AWS_ACCESS_KEY_ID"}}{{end}}{{end}}'
  const start = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace } })
  const manifest = `${start.slice(0, -2)},"annotations":{"${stampName}":"%s"}},"data":{"AWS_ACCESS_KEY_ID":"%s","AWS_SECRET_ACCESS_KEY":"%s"}}`
  const encoded = (name: string) => raw(`"$(printf %s "$${name}" | base64 | tr -d '\\n')"`)
  return {
    name: `secret ${secret}`,
    kept: {
      // With an exit code of its own: 127 would be taken for a missing aws CLI.
      command: sh`${kubectl} get secret ${secret} -n ${namespace} -o ${`go-template=${template}`} || exit 3`,
      parse({ code, stdout, stderr }) {
        if (code === 0) return Buffer.from(stdout, 'base64').toString() || null
        if (code === 127 || /NotFound|no such file|not found/.test(stderr)) return null
        throw kubectlFault({ code, stderr })
      },
    },
    // printf and read are the shell's own: the key is in no process list.
    keep: sh`read -r id half
printf ${manifest} "$(printf %s "$id" | cksum | tr ' ' -)" ${encoded('id')} ${encoded('half')} |
  ${kubectl} apply --server-side --force-conflicts --field-manager=${manager} -f -`,
  }
}
