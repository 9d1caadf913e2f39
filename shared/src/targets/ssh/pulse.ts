import type { RemoteShell } from './remote-shell.ts'

/** Seconds between two signs of life … */
const pulseSeconds = 5
/** … of which so many may be missing. */
const pulsesMissed = 3

/**
 * Ends the ssh of a shell that is left with nothing to do but echo, once it does not. ssh's own look at the host must wait
 * longer than a login may take, during which sshd answers nothing. Our ticks are counted, not seconds, so that a machine
 * that slept ends no connection.
 */
export function takePulse(shell: RemoteShell): NodeJS.Timeout {
  let missed = 0
  shell.hear(() => {
    missed = 0
  })
  return setInterval(() => {
    missed += 1
    if (missed > pulsesMissed) shell.running.kill('SIGKILL')
    else shell.running.write('echo\n')
  }, pulseSeconds * 1000).unref()
}
