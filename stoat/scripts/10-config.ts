import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { namespaceObject } from '@infra/shared/platform/namespace'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { namespacePresent } from '@infra/shared/steps/kubernetes/namespace'
import type { StoatContext } from '../context.ts'
import { filesKept } from '../guards/files.ts'
import { keysKept } from '../guards/keys.ts'
import { notBesideAnother } from '../guards/original.ts'
import { releaseFits } from '../guards/release.ts'
import { configObjects } from '../manifests/config.ts'
import { networkPolicies } from '../manifests/network.ts'
import { secretObject } from '../open-values.ts'

export default script(
  'config',
  { about: 'Revolt.toml, the Caddyfile, all keys and passwords, and who may connect to whom' },
  (context: StoatContext, add) => {
    const { env, kube, prune, made } = context
    add(notBesideAnother(context))
    add(keysKept(context))
    add(filesKept(context))
    add(releaseFits(context))
    const home = add(namespacePresent(kube, namespaceObject))
    const objects = [secretObject(env, made), ...configObjects(env), ...networkPolicies()]
    add(manifests(kube, objects, { script: 'config', workspace: 'stoat', prune, dependsOn: [home] }))
  },
)

standalone(import.meta.url)
