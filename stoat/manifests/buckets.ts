import type { KubeObject } from '@infra/shared/command/kubectl'
import { locked, metaOf, plainEnv, podSecurity, resources } from '@infra/shared/platform/manifests'
import type { StoatEnv } from '../env/env.ts'
import { stoatSecret } from '../keys.ts'
import { bucketJob } from '../services.ts'
import { fileStore } from './revolt-toml.ts'

// The keys go by stdin: what mc is called with is seen in the list of processes. A Service leads to its pod a moment after
// that is ready, so the store is tried for a while. That the bucket is there is looked at last.
const script = `set -eu
store() { printf '%s\\n%s\\n' "$S3_ACCESS_KEY_ID" "$S3_SECRET_ACCESS_KEY" | mc alias set store "$S3_ENDPOINT" >/dev/null; }
for wait in 1 2 4 8 0; do store && break; [ $wait -gt 0 ] || exit 1; sleep $wait; done
mc ls "store/$S3_BUCKET" >/dev/null 2>&1 || mc mb --ignore-existing --region "$S3_REGION" "store/$S3_BUCKET"
mc ls "store/$S3_BUCKET" >/dev/null
echo "bucket $S3_BUCKET is there"`

/** Makes the bucket where there is none, and fails where it cannot. */
export function bucketJobObject(env: StoatEnv): KubeObject {
  const { endpoint, region, bucket } = fileStore(env)
  const secretValue = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: stoatSecret, key } } })
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metaOf(bucketJob),
    spec: {
      backoffLimit: 4,
      activeDeadlineSeconds: 240,
      template: {
        metadata: { labels: { app: bucketJob } },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          restartPolicy: 'Never',
          securityContext: podSecurity(1000),
          volumes: [{ name: 'tmp', emptyDir: {} }],
          containers: [
            {
              name: bucketJob,
              image: env.STOAT_MINIO_CLIENT_IMAGE,
              command: ['/bin/sh', '-c', script],
              env: [
                ...plainEnv({ S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket }),
                ...plainEnv({ HOME: '/tmp', MC_CONFIG_DIR: '/tmp/mc' }),
                secretValue('S3_ACCESS_KEY_ID', 's3_access_key_id'),
                secretValue('S3_SECRET_ACCESS_KEY', 's3_secret_access_key'),
              ],
              resources: resources({ memory: '64Mi..256Mi', cpu: '50m..250m' }),
              securityContext: locked,
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
        },
      },
    },
  }
}
