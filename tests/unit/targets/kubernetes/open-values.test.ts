import { isText, plainText, revealText } from '@infra/shared/command/command'
import { type KubeObject, notYet } from '@infra/shared/command/kubectl'
import { raw, withStdin } from '@infra/shared/command/sh'
import { fillValues, holdsValue, type OpenValue } from '@infra/shared/targets/kubernetes/open-values'
import { expect, test } from 'vitest'

const command = withStdin(raw('kubectl diff'), plainText('{"image":"image.invalid/bot:latest","key":"x"}'))
const values = (image: OpenValue) => ({ 'image.invalid/bot:latest': image, unused: { find: async () => 'no' } })
const none = async () => undefined
const placeholder = 'image.invalid/bot:not-built-yet'
const missing = 'there is no image yet'

async function filled(image: OpenValue, asking: boolean) {
  const made = await fillValues(values(image), command, asking)
  return typeof made === 'string' ? made : [made.stdin && isText(made.stdin) && revealText(made.stdin), made.told]
}

test('a value that is there takes the place of what stands for it', async () => {
  const text = '{"image":"registry/bot@sha256:1","key":"x"}'
  for (const asking of [true, false])
    expect(await filled({ find: async () => 'registry/bot@sha256:1', placeholder, missing }, asking)).toEqual([
      text,
      '',
    ])
})

test('one that is still to be made is asked for with a placeholder, which is told; nothing is applied with it', async () => {
  const text = `{"image":"${placeholder}","key":"x"}`
  expect(await filled({ find: none, placeholder, missing }, true)).toEqual([text, `${notYet}${missing}\n`])
  expect(await filled({ find: none, placeholder, missing }, false)).toBe(missing)
  expect(await filled({ find: none }, true)).toBe('image.invalid/bot:latest is not known yet')
})

test('what holds such a value is known by it', () => {
  const object = (image: string) => ({ kind: 'Pod', spec: { image } }) as unknown as KubeObject
  const open = values({ find: none })
  expect([holdsValue(open, object('image.invalid/bot:latest')), holdsValue(open, object('bot:1'))]).toEqual([
    true,
    false,
  ])
})
