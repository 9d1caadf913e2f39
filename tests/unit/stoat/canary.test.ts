import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { judgeCanary } from '../../../stoat/checks/canary.ts'

const body = Buffer.from('the canary')
const sha256 = createHash('sha256').update(body).digest('hex')

test.each<[what: string, status: number, body: Buffer, outcome: string, detail: RegExp]>([
  ['as it was', 200, body, 'ok', /^10 bytes$/],
  ['as another file', 200, Buffer.from('the canari'), 'fail', /another file/],
  ['not, since the database forgot it', 404, body, 'fail', /^answers 404: the database/],
  ['not, since the key or the bucket is another', 500, body, 'fail', /^answers 500: the bucket .* another key/],
  ['not, since nothing serves it', 502, body, 'fail', /^answers 502$/],
])('a canary file that comes back %s', (_, status, body, outcome, detail) => {
  const found = judgeCanary({ path: '/autumn/attachments/A/smoke.bin', sha256 }, { status, body })
  expect([found.outcome, found.detail]).toEqual([outcome, expect.stringMatching(detail)])
})
