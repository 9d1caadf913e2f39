import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command, Output } from '../command/command.ts'
import { isPublicKey, type PinsRequest, pinsOf, printOf } from '../command/pins.ts'
import { quote } from '../command/sh.ts'
import type { Target } from '../engine/target.ts'
import { compositeTarget } from './composite.ts'
import { inOrder } from './in-order.ts'

/**
 * The same host, with the pins of its key on this machine beside it: who pins a key may ask the host for it. `tell` is told
 * of a key when it is pinned.
 */
export function withPins<T extends Target>(host: T, tell: (text: string) => void = () => {}): T {
  const machine: Target = {
    name: 'this machine',
    blank: false,
    typed: (command) => typedPin(pinsOf(command) as PinsRequest),
    ask: async (questions) => questions.map((question) => read(pinsOf(question) as PinsRequest)),
    run: (commands) => inOrder(commands, (command) => add(pinsOf(command) as PinsRequest, host, tell)),
    close: async () => {},
  }
  return compositeTarget(host, machine, (command: Command) => pinsOf(command) !== undefined)
}

function typedPin({ path, key }: PinsRequest): string {
  if (key === undefined) return `cat ${quote(path)}`
  return `echo ${typeof key === 'string' ? key : '"$KEY"'} >>${quote(path)}`
}

function read({ path }: PinsRequest): Output {
  try {
    return { code: 0, stdout: readFileSync(path, 'utf8'), stderr: '' }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? { code: 0, stdout: '', stderr: '' } : { code: 1, stdout: '', stderr: message }
  }
}

async function add({ path, key }: PinsRequest, host: Target, tell: (text: string) => void): Promise<Output> {
  const answer = typeof key === 'object' ? (await host.ask([key]))[0] : undefined
  const pinned = typeof key === 'string' ? key : (answer?.stdout.trim().split('\n').at(-1) ?? '')
  if (!isPublicKey(pinned)) return { code: 1, stdout: '', stderr: answer?.stderr || 'the host shows no public key' }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    appendFileSync(path, `${pinned} ${new Date().toISOString()}\n`, { mode: 0o600, flush: true })
  } catch (error) {
    return { code: 1, stdout: '', stderr: (error as Error).message }
  }
  tell(`pinned ${printOf(pinned)} in ${path}: what this key of ${host.name} signs is believed from now on`)
  return { code: 0, stdout: '', stderr: '' }
}
