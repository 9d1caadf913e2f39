import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type Output, showText } from '@infra/shared/command/command'
import { quote } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import type { Listener, Target } from '@infra/shared/engine/target'
import { changeProgram, type Program } from '@infra/shared/targets/ssh/program'
import { questionProgram } from '@infra/shared/targets/ssh/question-program'
import { sendHere } from './send.ts'
import { poll } from './wait.ts'

/** A folder of this machine as a target: real programs, run by a real `sh -s`, and a record of what was sent. */
export interface LocalTarget extends Target {
  readonly folder: string
  /** The questions of every round trip. */
  readonly asked: string[][]
  /** The commands of every call of `run`, with what they were fed, secrets masked. */
  readonly ran: string[][]
  /** `lock` and `release`, in order, with what was asked and run in between. */
  readonly order: string[]
}

interface LocalOptions {
  name?: string
  shell?: 'sh' | 'bash'
  /** It has no lock, as a cloud account. */
  lockless?: boolean
}

/** Makes a {@link LocalTarget}; its commands run inside `folder`. */
export function localTarget(folder: string, { name = 'here', shell = 'sh', lockless }: LocalOptions = {}): LocalTarget {
  const asked: string[][] = []
  const ran: string[][] = []
  const order: string[] = []
  const told = ({ line, stdin }: Command) => (stdin ? `${line} <<< ${showText(stdin)}` : line)
  const send = async (program: Program, hear: Listener): Promise<readonly Output[]> => {
    const { stdout, stderr } = await sendHere(program, `cd ${quote(folder)} && exec ${shell} -s`, hear)
    return program.parse(stdout, stderr)
  }
  const held = join(folder, '.lock')
  return {
    name,
    blank: false,
    folder,
    asked,
    ran,
    order,
    ask: (questions) => {
      asked.push(questions.map(told))
      order.push('ask')
      return send(questionProgram(questions), () => {})
    },
    run: (commands, hear) => {
      ran.push(commands.map(told))
      order.push('run')
      return send(changeProgram(commands), hear)
    },
    ...(!lockless && {
      async lock({ holder, timeout, waiting }) {
        const take = () => !existsSync(held) && mkdirSync(held, { recursive: true }) !== undefined
        if (!take()) {
          const other = readFileSync(join(held, 'holder'), 'utf8')
          waiting(other)
          const taken = await poll(timeout * 1000, () => take() || undefined)
          if (!taken) throw new Failure('locked', `another run holds the lock: ${other}`)
        }
        writeFileSync(join(held, 'holder'), holder)
        order.push('lock')
        return {
          async release() {
            rmSync(held, { recursive: true })
            order.push('release')
          },
        }
      },
      holder: async () => (existsSync(held) ? readFileSync(join(held, 'holder'), 'utf8') : undefined),
      async unlock() {
        if (!existsSync(held)) return undefined
        const holder = readFileSync(join(held, 'holder'), 'utf8')
        rmSync(held, { recursive: true })
        return holder
      },
    }),
    close: async () => {},
  } as LocalTarget
}
