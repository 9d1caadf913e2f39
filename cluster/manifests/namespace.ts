import { type KubeObject, type KubeValue, secretData } from '@infra/shared/command/kubectl'
import type { Secret } from '@infra/shared/command/secret'
import { locked, metaOf, plainEnv, podSecurity, resources, secretEnv } from '@infra/shared/platform/manifests'
import { namespace, pullSecret } from '@infra/shared/platform/names'
import { renewInPod } from '@infra/shared/steps/kubernetes/pull-secret'

export const appSecret = 'discord-bot-secrets'

/** The Secret that pods pull from ECR with. Its content is renewed, here and in the cluster, so no manifest holds it. */
export const pullSecretOptions = {
  name: pullSecret,
  namespace,
  script: 'pull-secret',
  workspace: 'cluster',
}

/** The application's secrets, by the names of its environment. */
export function appSecrets(values: Readonly<Record<string, Secret>>): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: metaOf(appSecret), type: 'Opaque', data: secretData(values) }
}

/** What renews the pull secret: its account, its jobs, and the label `app` of its pods. */
export const renewer = 'ecr-refresh'

/**
 * Renews the pull secret every 4 hours from inside, by an account that may touch this one Secret and nothing else. Two
 * runs can fail before a token ends.
 */
export function pullSecretRenewal(options: {
  image: string
  region: string
  endpoint?: string | undefined
}): KubeObject[] {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: metaOf(renewer) }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metaOf(renewer), automountServiceAccountToken: false },
    {
      ...role,
      kind: 'Role',
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: [pullSecretOptions.name],
          // With a name `create` is for server-side apply alone: the Secret is made again where somebody deleted it.
          verbs: ['get', 'patch', 'create'],
        },
      ],
    },
    {
      ...role,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: renewer },
      subjects: [{ kind: 'ServiceAccount', name: renewer, namespace }],
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metaOf(renewer),
      spec: {
        schedule: '17 */4 * * *',
        concurrencyPolicy: 'Forbid',
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 2,
        jobTemplate: {
          spec: {
            backoffLimit: 4,
            activeDeadlineSeconds: 600,
            template: { metadata: { labels: { app: renewer } }, spec: renewalPod(options) },
          },
        },
      },
    },
  ]
}

function renewalPod({ image, region, endpoint }: Parameters<typeof pullSecretRenewal>[0]): KubeValue {
  return {
    serviceAccountName: renewer,
    automountServiceAccountToken: true,
    restartPolicy: 'Never',
    // For a copy of its image in ECR.
    imagePullSecrets: [{ name: pullSecretOptions.name }],
    securityContext: podSecurity(1000),
    volumes: [{ name: 'tmp', emptyDir: {} }],
    containers: [
      {
        name: renewer,
        image,
        command: ['/bin/sh', '-c', renewInPod(pullSecretOptions)],
        env: [
          ...secretEnv(appSecret, ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']),
          ...plainEnv({ AWS_REGION: region, AWS_DEFAULT_REGION: region, AWS_ENDPOINT_URL: endpoint, HOME: '/tmp' }),
        ],
        resources: resources({ memory: '64Mi..256Mi', cpu: '50m..250m' }),
        securityContext: locked,
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
  }
}
