import { beforeAll, describe, expect, it } from 'vitest'
import type { ClusterEnv } from '../../cluster/env/env.ts'
import { mcpServers } from '../../cluster/manifests/dev-sandbox.ts'
import { debian } from './kube/images.ts'
import { planned, settle } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { useWorkloads } from './workload-world.ts'

const skip = requireLab('kube', 'registry', 'moto')

/** Calls tools of a server of MCP over the network, with the client of the protocol's own SDK; a fresh one each time. */
const client = `import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
const [url, ...calls] = process.argv.slice(1)
for (const call of calls) {
  const client = new Client({ name: 'lab', version: '1' })
  await client.connect(new SSEClientTransport(new URL(url)))
  const [name, given] = JSON.parse(call)
  const { content, isError } = await client.callTool({ name, arguments: given })
  console.log((isError ? 'error: ' : '') + content.map(({ text }) => text).join(' '))
  await client.close()
}
process.exit(0)`

describe.skipIf(skip)(title('the sandbox of its own Dockerfile, with its MCP servers', skip), () => {
  const lab = useWorkloads()
  const { kubectl } = lab
  const base = 'public.ecr.aws/docker/library/debian:trixie-slim'
  const settings: Partial<ClusterEnv> = {
    ...{ SANDBOX_BASE_IMAGE: base, CONTAINER_CLI: 'buildah', DISCORD_BOT_IMAGE: 'built/elsewhere:1' },
    ...{ DEV_SANDBOX_IMAGE: undefined, SANDBOX_MCP: true, ROLLOUT_TIMEOUT: 600 },
  }
  const inSpace = ['-n', 'discord-bot']
  const sandbox = (script: string) =>
    kubectl('exec', ...inSpace, 'deployment/dev-sandbox', '-c', 'dev-sandbox', '--', 'sh', '-c', script)
  const containers = async () => {
    const path = 'jsonpath={range .items[0].status.containerStatuses[*]}{.name} {.ready} {.restartCount}{"\\n"}{end}'
    const found = await kubectl('get', 'pods', ...inSpace, '-l', 'app=dev-sandbox', '-o', path)
    return found.split('\n')
  }
  const services = async () =>
    (await kubectl('get', 'services', ...inSpace, '-o', 'jsonpath={.items[*].metadata.name}')).split(' ')

  beforeAll(async () => {
    await lab.aws('ecr', 'create-repository', '--repository-name', 'dev-sandbox')
    await lab.registry.addBase(await debian(), base)
    const { REGISTRY_AUTH_FILE: _, PATH, ...env } = lab.registry.env
    Object.assign(process.env, env, { PATH: `${PATH}:${process.env.PATH}` })
    await settle(lab.tagged(['images', 'namespace', 'dev-sandbox'], settings))
  })

  it('has its tools, and no privilege', async () => {
    expect(await sandbox('id -u; pwd; ls')).toBe('1000\n/workspaces\nrepo')
    const tools = ['git', 'node', 'npm', 'python3', 'pip', 'rg', 'jq', 'curl', 'kubectl', 'ssh']
    expect(await sandbox(`for p in ${tools.join(' ')}; do command -v $p >/dev/null || echo no $p; done`)).toBe('')
    const [kind, image] = (
      await kubectl(
        'get',
        'pods',
        ...inSpace,
        '-l',
        'app=dev-sandbox',
        '-o',
        'jsonpath={.items[*].spec.containers[*].image}',
      )
    ).split('@')
    expect([kind, image?.startsWith('sha256:')]).toEqual([`${lab.registry.host}/dev-sandbox`, true])
  })

  it('has every MCP server ready, and nothing to do for a second run', async () => {
    expect(await containers()).toEqual(['dev-sandbox true 0', ...mcpServers.map(({ name }) => `mcp-${name} true 0`)])
    expect(await services()).toEqual(expect.arrayContaining(['filesystem-service', 'git-service', 'shell-service']))
    expect(await planned(lab.tagged(['images', 'namespace', 'dev-sandbox'], settings))).toEqual([])
  })

  it('is worked with from another pod by all three, in one workspace', async () => {
    // Only the bot may (a network policy): what asks is called so.
    const image = await kubectl(
      'get',
      'deployment/dev-sandbox',
      ...inSpace,
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    )
    const spec = {
      imagePullSecrets: [{ name: 'ecr-registry' }],
      containers: [{ name: 'client', image, workingDir: '/usr/local/lib/node_modules/supergateway' }],
      terminationGracePeriodSeconds: 0,
    }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client', namespace: 'discord-bot' }, spec }
    const { code, stderr } = await lab.kube.kubectl(['create', '-f', '-'], JSON.stringify(pod))
    expect(code, stderr).toBe(0)
    await kubectl('label', 'pod/client', ...inSpace, 'app=discord-bot')
    await kubectl('wait', 'pod/client', ...inSpace, '--for=condition=Ready', '--timeout=600s')
    const call = async (name: string, ...calls: [string, object][]) => {
      const { port } = mcpServers.find((server) => server.name === name) ?? {}
      const words = ['node', '--input-type=module', '-e', client, `http://${name}-service:${port}/sse`]
      return kubectl('exec', ...inSpace, 'client', '--', ...words, ...calls.map((one) => JSON.stringify(one)))
    }
    const file = '/workspaces/repo/note.txt'
    expect(
      await call(
        'filesystem',
        ['write_file', { path: file, content: 'from another pod\n' }],
        ['read_text_file', { path: file }],
        ['read_text_file', { path: '/etc/passwd' }],
      ),
    ).toMatch(/^Successfully wrote to \S+\nfrom another pod\n+error: Access denied/)
    expect(await call('git', ['git_status', { repo_path: '/workspaces/repo' }])).toMatch(
      /Untracked files:\s+.*\s*note\.txt/,
    )
    expect(
      await call(
        'shell',
        ['shell_execute', { command: ['cat', 'note.txt'], directory: '/workspaces/repo' }],
        ['shell_execute', { command: ['curl', '--version'], directory: '/workspaces/repo' }],
        ['shell_execute', { command: ['bash', '-c', 'id'], directory: '/workspaces/repo' }],
      ),
    ).toMatch(/^from another pod\n+curl [\s\S]*\nerror: .*rejected by default security policy: bash/)
    expect(await sandbox(`cat ${file}`)).toBe('from another pod')
  })

  it('goes on without them when they are switched off; their Services go with --prune', async () => {
    const off = { ...settings, SANDBOX_MCP: false }
    expect(await planned(lab.tagged(['namespace', 'dev-sandbox'], off))).toEqual([
      'update deployment dev-sandbox [downtime]',
      'update deployment dev-sandbox rolled out',
    ])
    await settle(lab.tagged(['namespace', 'dev-sandbox'], off))
    await until('the old pod to end', 60_000, async () => ((await containers()).length === 1 ? true : undefined))
    expect(await services()).toContain('git-service')
    const pruned = lab.tagged(['namespace', 'dev-sandbox'], off, { prune: true })
    expect(await planned(pruned)).toEqual([
      ...['filesystem', 'git', 'shell'].map((name) => `remove service ${name}-service`),
      'update deployment dev-sandbox rolled out',
    ])
    await settle(pruned)
    expect((await services()).filter((name) => /-service$/.test(name))).toEqual([])
    expect(await sandbox('cat repo/note.txt')).toBe('from another pod')
  })
})
