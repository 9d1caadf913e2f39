import { createHash } from 'node:crypto'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { metaOf } from '@infra/shared/platform/manifests'
import type { StoatEnv } from '../env/env.ts'
import { caddyFiles } from './caddyfile.ts'
import { revoltToml } from './revolt-toml.ts'

/** The names of the ConfigMaps. */
export const configMaps = { services: 'stoat-config', caddy: 'stoat-caddy-config', rabbitmq: 'stoat-rabbitmq-config' }

/** Read by RabbitMQ at each start: the users of its Secret, and no more memory than the container has. */
export const rabbitmqConf = `load_definitions = /etc/rabbitmq/stoat/definitions.json
vm_memory_high_watermark.relative = 0.6
`

/** The ConfigMaps: none of them holds a secret. */
export function configObjects(env: StoatEnv): KubeObject[] {
  const map = (name: string, data: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(name),
    data,
  })
  return [
    map(configMaps.services, { 'Revolt.toml': revoltToml(env) }),
    map(configMaps.caddy, caddyFiles(env)),
    map(configMaps.rabbitmq, { '20-stoat.conf': rabbitmqConf }),
  ]
}

/** Of what a pod reads at its start: another digest, and it starts anew. */
export const checksum = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
