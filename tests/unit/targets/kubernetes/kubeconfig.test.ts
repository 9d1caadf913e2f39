import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A kubeconfig whose cluster has these lines; gives its path. */
function configWith(name: string, ...lines: string[]): string {
  const file = join(folder, name)
  const cluster = lines.map((line) => `      ${line}`).join('\n')
  writeFileSync(
    file,
    `contexts:\n  - name: there\n    context: {cluster: far, user: me}\nclusters:\n  - name: far\n    cluster:\n${cluster}\n`,
  )
  return file
}
it('is refused where there is no such file, or no such context in it', () => {
  const none = join(folder, 'nowhere')
  expect(() => readAccess(none, 'there')).toThrow(`there is no kubeconfig ${none}`)
  const file = configWith('other', 'server: https://far.example.com')
  expect(() => readAccess(file, 'here')).toThrow(`there is no context here in ${file}`)
})

const accessOf = (...lines: string[]) => readAccess(configWith('config', ...lines), 'there')

describe('a context whose cluster need not prove who it is', () => {
  it.each([
    [
      'without verification',
      ['server: https://k8s.example.com', 'insecure-skip-tls-verify: true'],
      'insecure-skip-tls-verify is set',
    ],
    [
      'by a text',
      ['server: https://k8s.example.com', 'insecure-skip-tls-verify: "true"'],
      'insecure-skip-tls-verify is set',
    ],
    ['by plain http', ['server: http://k8s.example.com:8080'], 'http://k8s.example.com:8080 is not https'],
    ['by plain http to a look-alike of this machine', ['server: http://localhost.example.com'], 'is not https'],
  ])('is refused: %s', (_, lines, why) => {
    try {
      accessOf(...lines)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringContaining(`context there does not check who answers: `),
        remedy: expect.stringContaining('kubectl config set-cluster far '),
      })
      expect((error as Error).message).toContain(why)
    }
  })

  it('is refused too where a second file has it', () => {
    const second = configWith('second', 'server: https://k8s.example.com', 'insecure-skip-tls-verify: true')
    expect(() => readAccess(`${join(folder, 'not-there')}:${second}`, 'there')).toThrow('does not check who answers')
  })
})

it.each([
  [['server: https://k8s.example.com']],
  [['server: https://k8s.example.com', 'insecure-skip-tls-verify: false']],
  [['server: http://127.0.0.1:8001']],
  [['server: http://[::1]:8001']],
  [['server: http://localhost:8001/']],
])('is taken: %j', (lines) => {
  expect(accessOf(...lines)).toMatchObject({ context: 'there', cluster: 'far' })
})
