import { secret } from '@infra/shared/command/secret'
import { newVapidPrivate } from '@infra/shared/env/vapid'
import type { Found } from '../../../stoat/adoption/judge.ts'
import type { Claim, Volume } from '../../../stoat/adoption/volumes.ts'
import type { Container, OriginalWorkload, PodSpec } from '../../../stoat/adoption/workloads.ts'

export const key = (letter: string) => Buffer.from(letter.repeat(32)).toString('base64')
export const vapid = newVapidPrivate()

export interface Made {
  readonly name: string
  readonly kind?: OriginalWorkload['kind']
  readonly container?: Partial<Container>
  readonly volumes?: PodSpec['volumes']
  readonly templates?: readonly string[]
}

export const workload = ({
  name,
  kind = 'Deployment',
  container,
  volumes = [],
  templates = [],
}: Made): OriginalWorkload => ({
  ...{ kind, name, namespace: 'discord-bot', selector: { role: name }, templates },
  pod: { containers: [{ name, image: 'mongo:7', ...container }], volumes },
})
export const onClaim = (claimName: string): PodSpec['volumes'] => [
  { name: 'store', persistentVolumeClaim: { claimName } },
]
export const mongodb = (mountPath = '/data/db', more: object = {}, claim = 'mongodb-data') =>
  workload({
    name: 'stoat-mongodb',
    container: { volumeMounts: [{ name: 'store', mountPath, ...more }] },
    volumes: onClaim(claim),
  })
export const claim = (name: string, more: Partial<Claim> = {}): Claim => ({
  ...{
    name,
    app: undefined,
    isOther: false,
    volume: `pv-${name}`,
    bound: true,
    going: false,
    accessModes: ['ReadWriteOnce'],
  },
  ...{ storageClass: 'do-block-storage', mode: 'Filesystem', size: '12Gi', ...more },
})
export const volume = (name: string, more: Partial<Volume> = {}): Volume => ({
  ...{ name: `pv-${name}`, claim: { namespace: 'discord-bot', name }, policy: 'Delete', bound: true, size: '12Gi' },
  ...{ accessModes: ['ReadWriteOnce'], storageClass: 'do-block-storage', mode: 'Filesystem' },
  ...{ carriedFor: undefined, policyBefore: undefined, ...more },
})
export const heldOf = (values: Readonly<Record<string, string>>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, secret(value)]))
export const toml = (encryption: string) => ({ 'Revolt.toml': `[files]\nencryption_key = "${encryption}"\n` })
export const found = (more: Partial<Found> = {}): Found => ({
  ...{ workloads: [mongodb()], held: null, config: toml(key('a')), mountings: [], storage: undefined },
  ...{ claims: [claim('mongodb-data')], volumes: [volume('mongodb-data')], ...more },
})
