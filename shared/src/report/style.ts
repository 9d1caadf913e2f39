import { own } from './clean.ts'

export type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'dim' | 'bold'

const codes: Readonly<Record<Color, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
}

/** Colours a text, for an outlet to show, or leaves it as it is. */
export type Paint = (color: Color, text: string) => string

export const plainPaint: Paint = (_color, text) => text

export const colorPaint: Paint = (color, text) => {
  const [on, off] = codes[color]
  return `${own(`\u001b[${on}m`)}${text}${own(`\u001b[${off}m`)}`
}

interface Terminal {
  readonly isTTY?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** Whether to colour what goes to a stream: by `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb`, and whether it is a terminal. */
export function paintFor(stream: Terminal, env: Environment): Paint {
  if (env.NO_COLOR) return plainPaint
  if (env.FORCE_COLOR) return ['0', 'false'].includes(env.FORCE_COLOR) ? plainPaint : colorPaint
  return stream.isTTY && env.TERM !== 'dumb' ? colorPaint : plainPaint
}

/** Whether a line may be drawn over again: on a terminal that can, outside of continuous integration. */
export function canAnimate(stream: Terminal, env: Environment): boolean {
  return Boolean(stream.isTTY) && env.TERM !== 'dumb' && !env.CI
}

/** `0.4 s`, `12 s`, `3 m 20 s`. */
export function duration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} m ${seconds % 60} s`
}

/** A workspace, and which environment of it: `pod (environment staging)`. */
export const sayWorkspace = (workspace: string, environment: string | undefined): string =>
  environment === undefined ? workspace : `${workspace} (environment ${environment})`
