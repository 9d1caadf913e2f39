import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startApiProxy } from '@infra/shared/targets/kubernetes/api-proxy'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { until } from '../../../support/wait.ts'

// Stands where the question is what is done with a proxy; what kubectl's own does is asked of a real cluster in the lab.
const fake = `#!${process.execPath}
const { createServer } = require('node:http')
const { writeFileSync } = require('node:fs')
const argument = (name) => process.argv.find((one) => one.startsWith(name + '=')).slice(name.length + 1)
const socket = argument('--unix-socket')
writeFileSync(process.env.NOTE, JSON.stringify({ pid: process.pid, socket, args: process.argv.slice(2) }))
if (process.env.HOW === 'fails') process.exit(3)
createServer(({ url, method, headers: { host, accept } }, answer) => {
  if (url === '/cut') return answer.writeHead(200, { 'content-length': 9 }).write('half', () => answer.destroy())
  answer.writeHead(url === '/no' ? 404 : 200).end([method, url, host, accept].join(' '))
}).listen(socket, () => console.log('Starting to serve on ' + socket))
`

describe('a proxy to the API server', () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'bin/kubectl'), fake)
  chmodSync(join(folder, 'bin/kubectl'), 0o755)
  const note = join(folder, 'note')
  const env = (how = 'serves') => ({ PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NOTE: note, HOW: how })
  const noted = () => JSON.parse(readFileSync(note, 'utf8')) as { pid: number; socket: string; args: string[] }
  const runs = (pid: number) => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  it('answers, from a folder that only this user enters, to GET alone, until it is closed', async () => {
    const { get, close } = await startApiProxy('prod', env())
    const { pid, socket, args } = noted()
    expect(args.slice(0, 3)).toEqual(['--context', 'prod', 'proxy'])
    const rejected = new RegExp(args.find((one) => one.startsWith('--reject-methods='))?.split('=')[1] ?? '')
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT']
    expect(methods.filter((method) => !rejected.test(method))).toEqual(['GET'])
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700)
    expect(await get('/api/v1/nodes')).toEqual({ status: 200, body: 'GET /api/v1/nodes localhost application/json' })
    expect(await get('/no', 'text/plain')).toEqual({ status: 404, body: 'GET /no localhost text/plain' })
    await expect(get('/cut')).rejects.toThrow()
    await close()
    expect(runs(pid)).toBe(false)
    expect(existsSync(dirname(socket))).toBe(false)
    await expect(get('/api/v1/nodes')).rejects.toThrow()
  })

  it('that does not start is an error, and leaves nothing', async () => {
    await expect(startApiProxy('prod', env('fails'))).rejects.toThrow('kubectl proxy: it ended with 3')
    expect(existsSync(dirname(noted().socket))).toBe(false)
  })

  it('goes with the process that started it, even when that is killed', async () => {
    const program = join(import.meta.dirname, '../../../../shared/src/targets/kubernetes/api-proxy.ts')
    const script = `const { startApiProxy } = await import(${JSON.stringify(program)})
await startApiProxy('prod', ${JSON.stringify(env())}); console.log('started'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    let told = ''
    child.stderr.on('data', (chunk) => {
      told += chunk
    })
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('close', () => reject(new Error(told)))
    })
    const { pid, socket } = noted()
    expect(runs(pid)).toBe(true)
    child.kill('SIGKILL')
    await until('the end of the proxy', 10_000, () => (runs(pid) || existsSync(dirname(socket)) ? undefined : true))
  })
})
