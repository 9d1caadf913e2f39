import { busyboxContainer, pod } from './kube/objects.ts'
import { useKube } from './kube-steps.ts'
import { until } from './run.ts'

/** A port on which every talker serves, and that no policy opens. */
export const closedPort = 9999

/** A pod with these labels that serves on all these ports, and from which others can be asked. */
export function talker(place: string, labels: Readonly<Record<string, string>>, ports: readonly number[]) {
  const [namespace = '', name = ''] = place.split('/')
  const all = [...new Set([...ports, closedPort])]
  const serve = `mkdir -p /tmp/w; echo hello >/tmp/w/index.html
${all.map((port) => `httpd -p ${port} -h /tmp/w`).join('; ')}; exec sleep 1000000`
  const ready = { readinessProbe: { httpGet: { path: '/', port: closedPort }, periodSeconds: 1 } }
  const made = pod(name, busyboxContainer('talker', serve, ready))
  return { ...made, metadata: { name, namespace, labels } }
}

export const namespaceOf = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

// All at once: one that is denied takes three seconds.
const attempts = `for to in "$@"; do
  { said=$(timeout 3 wget -qO- "http://$to/" 2>&1); echo "$to $? $said"; } &
done; wait`

/** What a connection came to, by what wget said: `open`, `closed`, or its words. The API server refuses plain http. */
function judge(code: string, said: string): string {
  if ((code === '0' && said === 'hello') || /HTTP\/1\.\d 400/.test(said)) return 'open'
  return code === '143' || /refused|unreachable/.test(said) ? 'closed' : `${code} ${said}`
}

/** For a suite: a cluster with talkers, and what they get through to. */
export function useTalkers() {
  const lab = useKube()
  /** The addresses of all pods, by `namespace/name`. */
  const addresses = async () => {
    const path = '{range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.podIP}{"\\n"}{end}'
    const { stdout } = await lab.kube.kubectl(['get', 'pods', '-A', '-o', `jsonpath=${path}`])
    return new Map(stdout.split('\n').map((line) => line.split(' ') as [string, string]))
  }
  /** What each connection of one pod comes to, once. */
  const tried = async (from: string, to: readonly string[]) => {
    const [namespace = '', name = ''] = from.split('/')
    const words = ['exec', '-n', namespace, name, '--', 'sh', '-c', attempts, 'sh', ...to]
    const { code, stdout, stderr } = await lab.kube.kubectl(words)
    if (code !== 0) throw new Error(stderr)
    const lines = stdout.trim().split('\n')
    return new Map(
      lines.map((line): [string, string] => {
        const [, address = '', exit = '', said = ''] = line.match(/^(\S+) (\d+) ?(.*)$/) ?? []
        return [address, judge(exit, said)]
      }),
    )
  }
  /** What connections come to, by what they are called: `a/one > b/two:80`. */
  const results = async (connections: readonly string[]): Promise<Map<string, string>> => {
    const known = await addresses()
    const split = connections.map((connection) => {
      const [, from = '', host = '', port = ''] = connection.match(/^(\S+) > ([^\s:]+):(\d+)$/) ?? []
      return { connection, from, to: `${known.get(host) ?? host}:${port}` }
    })
    const found = new Map<string, string>()
    const ask = async (from: string) => {
      const own = split.filter((one) => one.from === from)
      const got = await tried(from, [...new Set(own.map(({ to }) => to))])
      for (const { connection, to } of own) found.set(connection, got.get(to) ?? 'no answer')
    }
    const sources = [...new Set(split.map(({ from }) => from))]
    for (let at = 0; at < sources.length; at += 6) await Promise.all(sources.slice(at, at + 6).map(ask))
    return found
  }
  return {
    get kube() {
      return lab.kube
    },
    kubectl: lab.kubectl,
    open: lab.open,
    results,
    /** Applies objects as they are. */
    async apply(...items: object[]) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      await lab.kubectl('apply --server-side -f -', list)
    },
    async ready(...namespaces: string[]) {
      for (const name of namespaces)
        await lab.kubectl(`wait pods --all -n ${name} --for=condition=Ready --timeout=600s`)
    },
    /** The connections that are not as they shall be, once the node has caught up. */
    async wrong(open: readonly string[], closed: readonly string[]): Promise<readonly string[]> {
      let wrong: readonly string[] = []
      const all = async () => {
        const found = await results([...open, ...closed])
        const differ = (list: readonly string[], wanted: string) =>
          list.flatMap((one) => (found.get(one) === wanted ? [] : [`${one} is ${found.get(one)}`]))
        wrong = [...differ(open, 'open'), ...differ(closed, 'closed')]
        return wrong.length === 0 || undefined
      }
      await until('policies to be in force', 20_000, all).catch(() => {})
      return wrong
    },
  }
}
