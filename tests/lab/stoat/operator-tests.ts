import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run, tether, until } from '../run.ts'
import type { StoatLab } from '../stoat-world.ts'

/** The network of the node, where nobody else's ports are. */
const there = ({ kube }: StoatLab) => ['nsenter', `--net=/run/netns/infra-lab-${kube.number}`]

/** Starts what goes on until it is ended. */
function begin(lab: StoatLab, command: readonly string[]) {
  const [program = '', ...args] = [...tether, ...there(lab), ...command]
  const child = spawn(program, args, { env: lab.operator().env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said += data
    })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    /** Waits for words; fails where it ends before. */
    says: (words: RegExp) =>
      until(String(words), 20_000, () => {
        if (words.test(said)) return true
        if (child.exitCode !== null) throw new Error(said)
        return undefined
      }),
    ended,
    end: (signal: NodeJS.Signals) => {
      child.kill(signal)
      return ended
    },
  }
}

/** The status and the text at an address of the node's network. */
async function page(lab: StoatLab, url: string): Promise<string> {
  const script = 'fetch(process.argv[1]).then(async (r) => console.log(r.status, await r.text()))'
  const [program = '', ...args] = [...there(lab), process.execPath, '-e', script, url]
  const { stdout, stderr } = await run(program, args)
  return stdout || stderr
}

const isTaken = async (lab: StoatLab, port: number): Promise<boolean> => {
  const [program = '', ...args] = [...there(lab), 'ss', '-Hltn', `sport = :${port}`]
  return (await run(program, args)).stdout !== ''
}

/** `port-forward`, by which operators reach what is not open to everybody. */
export function portForwardTests(lab: StoatLab): void {
  it.each<[what: string, port: number, pages: readonly (readonly [path: string, answer: RegExp])[]]>([
    [
      ...(['gateway', 8080] as const),
      [
        ['/', /^200 .*localhost:8080/s],
        ['/api/', /^200 .*"ws":"ws:..localhost:8080.ws"/],
      ],
    ],
    ['rabbitmq', 15672, [['/', /^200 .*RabbitMQ/s]]],
    ['minio', 9001, [['/', /^200 .*Console/]]],
  ])('opens %s at port %i until Ctrl-C, and tells where that is taken', async (what, port, pages) => {
    const { command } = lab.operator()
    const opened = begin(lab, [...command, 'port-forward', what])
    await opened.says(new RegExp(`http://localhost:${port} `))
    for (const [path, answer] of pages) expect(await page(lab, `http://localhost:${port}${path}`)).toMatch(answer)
    if (what === 'gateway') {
      const [program = '', ...args] = [...there(lab), ...command, 'port-forward']
      const second = await run(program, args, { env: lab.operator().env })
      expect([second.code, second.stderr]).toEqual([
        1,
        expect.stringMatching(/^error: port 8080 of this machine is taken\n.*--port 18080/m),
      ])
    }
    expect(await opened.end('SIGINT')).toBe(130)
    await until(`port ${port} to be free`, 1000, async () => !(await isTaken(lab, port)) || undefined)
  })

  it('ends when what it leads to is gone, and says so', async () => {
    const opened = begin(lab, [...lab.operator().command, 'port-forward', 'gateway', '--port', '18080'])
    await opened.says(/http:\/\/localhost:18080 /)
    await lab.inSpace('delete pod -l app=stoat-caddy')
    await lab.inSpace('rollout status deployment/stoat-caddy --timeout=60s')
    // kubectl finds out when somebody connects.
    await page(lab, 'http://localhost:18080/')
    await opened.says(/error: the port-forward to stoat-caddy ended/)
    expect(await opened.ended).toBe(1)
  })
}

interface Typed {
  readonly line: string
  readonly answer: RegExp
  /** What is typed now. */
  readonly instead: string
}

const type = (line: string, answer: RegExp, instead = line): Typed => ({ line, answer, instead })

/** Every kubectl line of the original about Stoat, as it was typed, or what is typed instead. */
const ended: readonly Typed[] = [
  type('kubectl get service stoat-caddy -n discord-bot', /^stoat-caddy +ClusterIP/m),
  type('kubectl get pods -n discord-bot', /^stoat-mongodb-0 +1\/1 +Running/m),
  type('kubectl get pods -n discord-bot -l app=stoat-api', /^stoat-api-\S+ +1\/1 +Running/m),
  type('kubectl get pods -n discord-bot -l app=stoat-web', /^stoat-web-\S+ +1\/1 +Running/m),
  type('kubectl get pods -n discord-bot -l app=stoat-mongodb', /^stoat-mongodb-0 +1\/1 +Running/m),
  type('kubectl get pods -n discord-bot -l app=stoat-rabbitmq', /^stoat-rabbitmq-0 +1\/1 +Running/m),
  type('kubectl describe pod -n discord-bot -l app=stoat-api', /^Containers:\n +stoat-api:/m),
  // Of pods that never restarted there is nothing before.
  type(
    'kubectl logs -n discord-bot -l app=stoat-api --previous',
    /listening|previous terminated container "stoat-api"/,
  ),
  type('kubectl get endpoints -n discord-bot', /^stoat-api +10\.\S+:14702/m),
  type('kubectl get jobs -n discord-bot', /^stoat-minio-create-buckets +Complete/m),
  type('kubectl logs -n discord-bot job/stoat-minio-create-buckets', /bucket revolt-uploads is there/),
  type(
    'kubectl exec -n discord-bot deployment/stoat-api -- cat /Revolt.toml',
    /\[hosts\]/,
    'kubectl get configmap stoat-config -n discord-bot -o yaml',
  ),
]

const followed: readonly Typed[] = [
  type('kubectl logs -f deployment/stoat-api -n discord-bot', /listening on/),
  type('kubectl logs -f deployment/stoat-events -n discord-bot', /listening on/),
  type(
    'kubectl logs -f deployment/stoat-mongodb -n discord-bot',
    /Waiting for connections/,
    'kubectl logs -f statefulset/stoat-mongodb -n discord-bot',
  ),
]

interface Forwarded {
  readonly line: string
  readonly pages: readonly (readonly [url: string, answer: RegExp])[]
}

const forwarded: readonly Forwarded[] = [
  {
    line: 'kubectl port-forward service/stoat-caddy 8080:80 -n discord-bot',
    pages: [
      ['http://localhost:8080', /^200 .*root/s],
      ['http://localhost:8080/api', /^200 .*"revolt"/],
    ],
  },
  {
    line: 'kubectl port-forward service/stoat-rabbitmq 15672:15672 -n discord-bot',
    pages: [['http://localhost:15672', /RabbitMQ/]],
  },
  {
    line: 'kubectl port-forward service/stoat-minio 9001:9001 -n discord-bot',
    pages: [['http://localhost:9001', /Console/]],
  },
]

/** What operators typed for the original, typed again. */
export function originalLineTests(lab: StoatLab): void {
  const typed = (line: string) => ['sh', '-c', line.replace(/^kubectl/, 'exec kubectl')]

  describe('as typed in the original', () => {
    it.each(ended)('$line', async ({ answer, instead }) => {
      const [program = '', ...args] = [...there(lab), ...typed(instead)]
      const { stdout, stderr } = await run(program, args, { env: lab.operator().env })
      expect(stdout + stderr).toMatch(answer)
    })

    it.each(followed)('$line', async ({ answer, instead }) => {
      const follows = begin(lab, typed(instead))
      await follows.says(answer)
      await follows.end('SIGINT')
    })

    it.each(forwarded)('$line', async ({ line, pages }) => {
      const opened = begin(lab, typed(line))
      await opened.says(/^Forwarding from/m)
      for (const [url, answer] of pages) expect(await page(lab, url)).toMatch(answer)
      await opened.end('SIGINT')
    })
  })

  it('has a line in the docs for each that is typed otherwise', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/coming-from-terraform.md'), 'utf8')
    for (const { line, instead } of [...ended, ...followed])
      if (instead !== line) expect(docs).toContain(`| \`${line}\` | \`${instead}\``)
  })
}
