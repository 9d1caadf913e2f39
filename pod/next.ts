import type { PodEnv } from './env/env.ts'
import { podUsers } from './synapse/synapse.ts'

/** What to do once the pod is deployed: sign in to the homeserver, and to Claude Code on the host. */
export function nextSteps(env: PodEnv): readonly string[] {
  const [admin] = podUsers(env)
  return [
    `what now: in Element (https://app.element.io, or the app) choose the homeserver ${env.VALENCE_DOMAIN}, and sign in`,
    `  as ${admin?.name} with SYNAPSE_ADMIN_PASSWORD of your environment file`,
    ...(env.VALENCE_CLAUDE_CODE
      ? ['  Claude Code signs in on the host: npm run ssh -w pod, then sudo -iu valence claude, and /login']
      : []),
  ]
}
