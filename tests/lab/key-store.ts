import { raw, type Shell, sh } from '@infra/shared/command/sh'
import type { KeyStore } from '@infra/shared/steps/aws/iam-keys'

/**
 * A store that stands for a cluster's Secret: a parameter of SSM at moto, written and read by lines of shell that keep
 * the key off arguments and files.
 */
export function parameterStore(endpoint: string): KeyStore {
  const authorization =
    'authorization: AWS4-HMAC-SHA256 Credential=x/20260101/ca-central-1/ssm/aws4_request, SignedHeaders=host, Signature=x'
  const call = (operation: string): Shell =>
    sh`curl -sS --fail-with-body -H ${`x-amz-target: AmazonSSM.${operation}`} -H 'content-type: application/x-amz-json-1.1' -H ${authorization} --data-binary @- ${endpoint}`
  const kept = sh`printf '{"Name":"bot"}' | ${call('GetParameter')} | sed -n ${'s/.*"Value": *"\\([A-Z0-9]*\\) [^"].*/\\1/p'}`
  const input = raw(
    String.raw`awk '{ printf "{\"Name\":\"bot\",\"Type\":\"String\",\"Overwrite\":true,\"Value\":\"%s %s\"}", $1, $2 }'`,
  )
  return {
    name: 'parameter bot',
    kept: { command: kept, parse: ({ stdout }) => stdout.trim() || null },
    keep: sh`${input} | ${call('PutParameter')}`,
  }
}
