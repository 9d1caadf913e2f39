import type { CliRun } from '../support/cli.ts'
import { awaitsThat } from '../support/wait.ts'
import { eventsOf, type JsonEvent } from './pod-runs.ts'
import { until } from './run.ts'

/** Holds a lock, as another package manager of this name does, until it is killed. */
export const holding = (file: string, name = 'python3') => `cat >/root/holder.py <<'END'
import fcntl, time
lock = open('${file}', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(600)
END
cp -L /usr/bin/python3 /root/${name}; systemd-run --quiet --unit=holder /root/${name} /root/holder.py
${awaitsThat('journalctl -u holder | grep -q held')}; systemctl show -p MainPID --value holder`

/** Puts the host's clock as the shell reads it (`date`) so many seconds ahead, as if they had passed. */
export const clockAhead = (seconds: number) => `cat >/usr/local/sbin/date <<'END'
#!/bin/sh
exec /usr/bin/date -d '${seconds} seconds' "$@"
END
chmod 755 /usr/local/sbin/date`

/** Whether an event says that a run waits for another package manager. */
export const isWaiting = ({ line }: JsonEvent) => /^waiting for another package manager/.test(line ?? '')
/** Whether it says so of this one. */
export const waitsFor =
  (holder: string) =>
  ({ line }: JsonEvent) =>
    new RegExp(`^waiting for another package manager: .*${holder}`).test(line ?? '')

/** Waits until a run has looked for the lock twice more: the first may have read the clock before. */
export async function waitsOn(run: CliRun): Promise<void> {
  const count = () => eventsOf(run.said()).filter(isWaiting).length
  const before = count()
  await until('the run to wait on', 60_000, () => count() >= before + 2 || undefined)
}
