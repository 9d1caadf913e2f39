import { plainText } from '../../command/command.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileContent } from '../../facts/host/file.ts'
import { heldUnit } from '../../facts/host/systemd.ts'
import { diffOf, writeFile } from './file.ts'

const daemonReload = raw('systemctl daemon-reload')

/**
 * The file of a systemd unit, checked by `systemd-analyze verify` before it takes its place and known to systemd. With
 * `boot: false` the unit is there to be started by hand: it neither starts at boot nor runs.
 */
export function unitFile(
  on: Target,
  unit: string,
  { content, boot, dependsOn = [] }: { content: string; boot?: false; dependsOn?: readonly Dependency[] },
): Step {
  const path = `/etc/systemd/system/${unit}`
  const text = plainText(content)
  // The verifier goes by the name of the file.
  const validate = (temp: Shell) =>
    sh`( d=$(mktemp -d) && trap ${'rm -rf "$d"'} EXIT && cp ${temp} "$d/"${unit} && systemd-analyze verify "$d/"${unit} )`
  return step({
    id: `unit ${unit}`,
    on,
    dependsOn,
    ask: { file: fileContent(path), now: heldUnit(unit) },
    plan({ file, now }) {
      if (now.enabled === 'masked' || file?.type === 'link')
        return refuse(`${unit} is masked`, `If that is not wanted any more: systemctl unmask ${unit}`)
      const list: Change[] = []
      if (file?.content !== content || file.mode !== '0644' || file.owner !== 'root') {
        const write = writeFile(path, text, { mode: '0644', owner: 'root', group: 'root' }, validate)
        list.push((file ? update : create)(path, [write, daemonReload], { diff: diffOf(path, file, text) }))
      } else if (now.outdated) list.push(update(`systemd reads ${unit} again`, daemonReload))
      if (boot === false) {
        if (now.enabled === 'enabled') list.push(update(`${unit} not at boot`, sh`systemctl disable --quiet ${unit}`))
        if (now.isUp) list.push(update(`${unit} stopped`, sh`systemctl stop ${unit}`, { risk: 'downtime' }))
      }
      return changes(list, `${now.isUp ? 'started' : 'not started'}, ${now.enabled}`)
    },
  })
}
