import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { adoptionSteps } from '../../../stoat/adoption/steps.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { notBesideAnother } from '../../../stoat/guards/original.ts'
import { told } from '../steps/told.ts'
import { stoatEnv } from './env.ts'
import { claim, mongodb, volume } from './originals.ts'

describe('the steps', () => {
  const context = {
    kube: blank('kubernetes'),
    env: stoatEnv({ STOAT_MONGODB_IMAGE: 'mongo:7' }),
  } as unknown as StoatContext
  const plan = (id: string, now: object) => {
    const step = adoptionSteps(context).find((one) => one.id === id)
    return step ? told(step.plan(now as never, { pending: [] })) : []
  }
  const stores = 'stores of another maker'
  const begun = { carriedFor: 'data-stoat-mongodb-0', policy: 'Retain', policyBefore: 'Delete' }
  const kept = '~ volume pv-mongodb-data of claim mongodb-data, to be kept for claim data-stoat-mongodb-0'
  const gone = '- deployment stoat-mongodb, which a deployment makes anew on its volume'
  const moved = '~ claim mongodb-data becomes claim data-stoat-mongodb-0, on the same volume pv-mongodb-data (12Gi)'

  test.each<[what: string, now: object, list: string[]]>([
    ['nothing of it', { workloads: [], claims: [], volumes: [] }, ['= there are none']],
    [
      'all of it',
      { workloads: [mongodb()], claims: [claim('mongodb-data')], volumes: [volume('mongodb-data')] },
      [kept, gone, moved],
    ],
    [
      'ended when the volume was kept',
      { workloads: [mongodb()], claims: [claim('mongodb-data')], volumes: [volume('mongodb-data', begun)] },
      [gone, moved],
    ],
    ['ended when the claim was gone', { workloads: [], claims: [], volumes: [volume('mongodb-data', begun)] }, [moved]],
    [
      'ended when the volume was told its new claim',
      {
        workloads: [],
        claims: [],
        volumes: [
          volume('mongodb-data', { ...begun, claim: { namespace: 'discord-bot', name: 'data-stoat-mongodb-0' } }),
        ],
      },
      ['~ claim data-stoat-mongodb-0, on the same volume pv-mongodb-data (12Gi)'],
    ],
    [
      'a claim that is left',
      { workloads: [], claims: [claim('mongodb-data', { app: 'stoat-mongodb' })], volumes: [volume('mongodb-data')] },
      [kept, moved],
    ],
    [
      'a claim that somebody said is not',
      {
        workloads: [],
        claims: [claim('mongodb-data', { app: 'stoat-mongodb', isOther: true })],
        volumes: [volume('mongodb-data')],
      },
      ['= there are none'],
    ],
    [
      'a claim of the very name',
      {
        workloads: [mongodb('/data/db', {}, 'data-stoat-mongodb-0')],
        claims: [claim('data-stoat-mongodb-0')],
        volumes: [volume('data-stoat-mongodb-0')],
      },
      [gone],
    ],
  ])('carry on the volume of a store: %s', (_, now, list) => {
    expect(plan(stores, now)).toEqual(list)
  })

  test.each<[what: string, now: object, says: RegExp]>([
    [
      'refused beside another',
      { workloads: [{ kind: 'Deployment', name: 'stoat-api' }], carried: [], claims: [] },
      /^! another program made deployment stoat-api: /,
    ],
    [
      'and half way',
      { workloads: [], carried: [volume('x', begun)], claims: [] },
      /^! the adoption has not come to its end: volume pv-x/,
    ],
    [
      'and beside claims that are left',
      { workloads: [], carried: [], claims: [claim('stoat-minio-pvc')] },
      /^! claim stoat-minio-pvc looks like the data of minio/,
    ],
    [
      'not beside those of a deployment',
      { workloads: [], carried: [], claims: [claim('stoat-minio-pvc'), claim('data-stoat-minio-0')] },
      /^= none/,
    ],
    ['else not', { workloads: [], carried: [], claims: [] }, /^= none/],
  ])('a deployment is %s', (_, now, says) => {
    expect(told(notBesideAnother(context).plan(now as never, { pending: [] })).join()).toMatch(says)
  })
})
