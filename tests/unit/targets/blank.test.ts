import { nothing } from '@infra/shared/command/command'
import { raw } from '@infra/shared/command/sh'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'

test('a blank target answers every question as a machine without any program, and cannot be changed', async () => {
  const target = blank('a new host')
  expect(await target.ask([raw('id'), raw('uname')])).toEqual([nothing, nothing])
  expect(nothing).toEqual({ code: 127, stdout: '', stderr: '' })
  await expect(target.run([raw('true')], () => {})).rejects.toThrow('a new host: a blank target was to be changed')
  expect(target.blank).toBe(true)
})
