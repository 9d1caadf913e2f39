import { type KubeGetCommand, kubeGet } from '@infra/shared/command/kube-get'
import { combinedReads } from '@infra/shared/targets/kubernetes/reads'
import { describe, expect, it } from 'vitest'

const access = (context: string) => ({ files: '/k', context, cluster: 'bots', server: 'https://203.0.113.9:6443' })
const secret = (name: string) => kubeGet({ kinds: ['secret'], names: [name], namespace: 'x' })
const pods = kubeGet({ kinds: ['pods'], namespace: 'x' })
const nodes = kubeGet({ kinds: ['nodes'] })

/** Reads whose API server refuses what `refused` matches; tells who was asked for what, in order. */
function reader({ refused = /^$/, starts = true }: { refused?: RegExp; starts?: boolean } = {}) {
  const log: string[] = []
  let close = () => {}
  const closed = new Promise<void>((resolve) => {
    close = resolve
  })
  const alone = async (_: unknown, command: KubeGetCommand) => {
    log.push(command.line.replace(/ --ignore-not-found| -o json/g, ''))
    if (/forbidden/.test(command.line)) throw new Error('you may not')
    return { code: 0, stdout: 'by itself', stderr: '' }
  }
  const read = combinedReads(alone, async ({ context }) => {
    log.push(`start ${context}`)
    if (!starts) throw new Error('kubectl proxy: it ended with 1')
    return {
      async get(path) {
        log.push(path)
        if (/lost/.test(path)) throw new Error('socket hang up')
        return { status: refused.test(path) ? 403 : 200, body: '{"kind":"AnyList","metadata":{},"items":[]}' }
      },
      async close() {
        log.push('close')
        close()
      },
    }
  })
  const ask = async (commands: readonly KubeGetCommand[], context = 'prod') =>
    Promise.all(commands.map((command) => read(access(context), command).then(({ stdout }) => stdout[0])))
  return { ask, log, read, closed }
}

describe('reads that are asked for at once', () => {
  it('are one process, equal ones one request, named objects first', async () => {
    const { ask, log, closed } = reader()
    expect(await ask([pods, secret('a'), nodes, secret('a'), secret('b')])).toEqual(['{', '{', '{', '{', '{'])
    await closed
    expect(log).toEqual([
      'start prod',
      '/api/v1/namespaces/x/secrets/a',
      '/api/v1/namespaces/x/secrets/b',
      '/api/v1/namespaces/x/pods',
      '/api/v1/nodes',
      'close',
    ])
  })

  it('also where one of them is asked for by what another step has to know first', async () => {
    const { read, log } = reader()
    const nested = async () => {
      for (let turns = 0; turns < 20; turns++) await undefined
      return read(access('prod'), secret('a'))
    }
    await Promise.all([read(access('prod'), pods), nested()])
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start prod'])
  })

  it('are no process more where there is one alone, whoever asks for it', async () => {
    const { ask, log } = reader()
    expect(await ask([pods, pods])).toEqual(['b', 'b'])
    expect(log).toEqual(['kubectl get pods -n x'])
  })

  it('are each a kubectl where the process does not start', async () => {
    const { ask, log } = reader({ starts: false })
    expect(await ask([pods, secret('a')])).toEqual(['b', 'b'])
    expect(log).toEqual(['start prod', 'kubectl get secret a -n x', 'kubectl get pods -n x'])
  })

  it('leave to a kubectl of its own what is refused or lost, and spoil nothing else', async () => {
    const { ask, log } = reader({ refused: /pods/ })
    expect(await ask([pods, secret('a'), secret('lost'), nodes])).toEqual(['b', '{', 'b', '{'])
    expect(log.filter((line) => line.startsWith('kubectl')).sort()).toEqual([
      'kubectl get pods -n x',
      'kubectl get secret lost -n x',
    ])
  })

  it('fail as a kubectl of its own does, and the others are answered', async () => {
    const { read, log } = reader({ refused: /forbidden/ })
    const answers = await Promise.allSettled([
      read(access('prod'), secret('forbidden')),
      read(access('prod'), secret('forbidden')),
      read(access('prod'), nodes),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(answers[0]).toMatchObject({ reason: { message: 'you may not' } })
    expect(log.filter((line) => line.startsWith('kubectl'))).toHaveLength(1)
  })

  it('of another cluster are another process, and so are those of another time', async () => {
    const { ask, log } = reader()
    await Promise.all([ask([pods, nodes]), ask([pods, nodes], 'staging')])
    await ask([pods, nodes])
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start prod', 'start staging', 'start prod'])
  })
})
