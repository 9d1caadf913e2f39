import { fieldsLost } from '@infra/shared/facts/kubernetes/managed-fields'
import { expect, test } from 'vitest'

test('a field that both want with one value is nobody’s loss', () => {
  const entry = (manager: string, field: string) => ({ manager, fieldsV1: { 'f:spec': { [field]: {} } } })
  const before = [entry('Terraform', 'f:replicas')]
  expect(fieldsLost(before, [entry('infra', 'f:replicas'), entry('Terraform', 'f:replicas')])).toEqual([])
  expect(fieldsLost(before, [entry('infra', 'f:replicas')])).toEqual(['Terraform: spec.replicas'])
})
