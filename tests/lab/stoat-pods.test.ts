import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KubeLab, startKube } from './kube/kube.ts'
import { requireLab, title } from './prerequisites.ts'
import { refusesStranger, wholeRound } from './stoat/conformance.ts'
import { startStoatImages } from './stoat/images.ts'
import { startPods } from './stoat/pods.ts'

const skip = requireLab('kube', 'stoat')

describe.skipIf(skip)(title('the images of the Stoat platform as pods', skip), () => {
  let kube: KubeLab
  let pods: Awaited<ReturnType<typeof startPods>>
  const exec = (pod: string, ...command: string[]) => kube.kubectl(['exec', pod, '--', ...command])

  beforeAll(async () => {
    kube = await startKube()
    await startStoatImages(kube)
    pods = await startPods(kube)
  })
  afterAll(() => kube?.stop())

  test('all start, as users without rights, and do the whole round', async () => {
    await wholeRound(pods)
    await refusesStranger(pods)
  })

  test('Caddy says who the client is, and hands a page and the api on', async () => {
    const page = await fetch(`${pods.site}/`)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).not.toContain('__API_URL__')
    const root = await fetch(`${pods.site}/api`)
    expect(await root.json()).toMatchObject({ revolt: '0.13.7' })
    expect((await fetch(`${pods.site}/apix`)).headers.get('content-type')).toContain('text/html')
  })

  test('administrators find their programs', async () => {
    const script =
      "db.getSiblingDB('revolt').invites.insertOne({_id:'code'}); db.getSiblingDB('revolt').invites.findOne()._id"
    expect(await exec('mongo', 'mongosh', '--quiet', '--eval', script)).toMatchObject({ code: 0, stdout: 'code\n' })
    expect(await exec('mongo', 'mongosh', '--port', '1', '--eval', '1')).toMatchObject({ code: 1 })
    const queues = await exec('rabbitmq', 'rabbitmqctl', '-q', 'list_queues', 'name')
    expect(queues.stdout).toContain('internal.ack')
    expect((await exec('rabbitmq', 'bash', '-c', 'printf x | base64 -w0')).stdout).toBe('eA==')
    expect((await exec('api', 'cat', '/Revolt.toml')).stderr).toContain('executable file not found')
  })
})
