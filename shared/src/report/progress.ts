import { oneLine } from './clean.ts'
import { type Outlet, redraw } from './outlet.ts'
import { duration, type Paint } from './style.ts'

/** Shows that something long is alive: on a terminal a line drawn over again, elsewhere a line now and then. */
export interface Progress {
  start(what: string): void
  /** The last line that it printed. */
  line(text: string): void
  stop(): void
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** Seconds of silence after which a stream that is not a terminal is told that the work goes on. */
const quiet = 15

/** A text in so many columns at most, with an ellipsis where it was cut. */
export function cut(text: string, columns: number): string {
  const letters = [...text]
  if (letters.length <= columns) return text
  return columns < 1 ? '' : `${letters.slice(0, columns - 1).join('')}…`
}

export function progressOn(outlet: Outlet, animate: boolean, paint: Paint): Progress {
  let what = ''
  let last = ''
  let began = 0
  let told = 0
  let frame = 0
  let timer: NodeJS.Timeout | undefined

  const draw = () => {
    frame = (frame + 1) % frames.length
    const width = (outlet.columns ?? 80) - 1
    const time = duration(Date.now() - began)
    // The frame, the blanks and the time always fit; the name leaves room for what the program says, if it says anything.
    const room = Math.max(0, width - time.length - 6)
    const name = cut(what, last === '' ? room : Math.max(Math.min(room, 16), Math.floor(room * 0.6)))
    const head = `  ${frames[frame]} ${name}  ${time}`
    outlet.write(`${redraw}${cut(head, width)}${paint('dim', cut(`  ${last}`, width - [...head].length).trimEnd())}`)
  }
  const tell = () => {
    if (Date.now() - told < quiet * 1000) return
    told = Date.now()
    const line = `    ${cut(what, 48)}: ${duration(Date.now() - began)} so far${last ? `: ${cut(last, 120)}` : ''}`
    outlet.write(`${outlet.columns === undefined ? line : cut(line, outlet.columns - 1)}\n`)
  }

  return {
    start(name) {
      this.stop()
      what = oneLine(name)
      last = ''
      began = Date.now()
      told = began
      timer = animate ? setInterval(draw, 100) : setInterval(tell, 1000)
      timer.unref()
    },
    line(text) {
      // Before it is cut to the width: half a secret would not be known as one.
      last = oneLine(text).replace(/\s+/g, ' ').trim()
    },
    stop() {
      if (!timer) return
      clearInterval(timer)
      timer = undefined
      if (animate) outlet.write(redraw)
    },
  }
}
