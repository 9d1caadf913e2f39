import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { labAuthority, labName } from './authority.ts'
import { scratchFolder } from './cache.ts'
import { tether, until } from './run.ts'

/** A certificate authority that speaks ACME (pebble), for one lab host, and its own name server. */
export type AcmeServer = {
  /** The same for all hosts: each knows the machine by one name. */
  readonly directory: string
  /** The root that the certificates of this authority lead to: a new one at each start. */
  root(): Promise<string>
  /** How many certificates it was asked for. */
  orders(): Promise<number>
  /** Whether its name server fails for a name, so that there is no proof for it. */
  fails(name: string, yes: boolean): Promise<void>
  stop(): Promise<void>
}

export const acmeDirectory = `https://${labName}:14000/dir`

/** Starts pebble at the host's gateway; in its eyes every name leads to the host. */
export async function acmeServer({ address, gateway }: { address: string; gateway: string }): Promise<AcmeServer> {
  const { folder, certificate } = await labAuthority()
  // As it is written before a port.
  const at = isIPv6(gateway) ? `[${gateway}]` : gateway
  const config = {
    pebble: {
      listenAddress: `${at}:14000`,
      managementListenAddress: `${at}:15000`,
      certificate: join(folder, 'server.pem'),
      privateKey: join(folder, 'server.key'),
      httpPort: 80,
      tlsPort: 443,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  }
  const scratch = await scratchFolder('acme')
  const [file, log] = [join(scratch, 'pebble.json'), join(scratch, 'pebble.log')]
  await writeFile(file, JSON.stringify(config))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const [ipv4, ipv6] = isIPv6(address) ? ['', address] : [address, '']
  const dns = ['-defaultIPv4', ipv4, '-defaultIPv6', ipv6, '-dns01', `${at}:8053`]
  const names = start('pebble-challtestsrv', [...dns, ...off, '-management', `${at}:8055`])
  // No waits and no refusals at random: this is not about certbot's patience. A proof stands for the next certificate of
  // that account as well, as Let's Encrypt has it for weeks.
  const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '100' }
  const pebble = start('pebble', ['-config', file, '-dnsserver', `${at}:8053`], env, log)
  const root = () => fetchText(gateway, 15000, '/roots/0', certificate)
  await until('pebble to answer', 30_000, async () => {
    if (pebble.exitCode !== null) throw new Error(`lab: pebble ended with ${pebble.exitCode}`)
    return (await root().catch(() => undefined)) ? true : undefined
  })
  return {
    directory: acmeDirectory,
    root,
    // Its own words: it has no other place where they are counted.
    orders: async () => (await readFile(log, 'utf8')).match(/ Added order /g)?.length ?? 0,
    fails: async (name, yes) => {
      const body = JSON.stringify({ host: name })
      await fetch(`http://${at}:8055/${yes ? 'set' : 'clear'}-servfail`, { method: 'POST', body })
    },
    stop: async () => {
      await Promise.all([end(pebble), end(names)])
    },
  }
}

function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, log?: string): ChildProcess {
  const [tied, ...words] = [...tether, program, ...args]
  const output = log === undefined ? undefined : openSync(log, 'w', 0o600)
  const said = output ?? 'ignore'
  const child = spawn(tied, words, {
    ...{ detached: true, stdio: ['ignore', said, said], env: { ...process.env, ...env } },
  })
  child.unref()
  if (output !== undefined) closeSync(output)
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

function fetchText(host: string, port: number, path: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, ca, servername: labName, timeout: 60_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve(text) : reject(new Error(`HTTP ${answer.statusCode}`)),
      )
    })
    asked.on('error', reject)
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.end()
  })
}
