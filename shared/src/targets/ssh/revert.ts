import { type Command, plainText } from '../../command/command.ts'
import { revertUnit } from '../../command/revert-unit.ts'
import { all, raw, type Shell, sh, withStdin } from '../../command/sh.ts'
import type { Guard } from '../../engine/step.ts'

// All of it is on the disk, so that nothing but the disk has to survive: neither our process nor the host's uptime.
const folder = '/var/lib/infra/revert'
const units = '/etc/systemd/system'

interface Paths {
  readonly now: string
  readonly atBoot: string
  readonly service: string
  readonly timer: string
  readonly boot: string
  readonly wanted: string
}

function pathsOf(name: string): Paths {
  const boot = `${revertUnit(name)}-at-boot.service`
  return {
    now: `${folder}/${name}.now`,
    atBoot: `${folder}/${name}.boot`,
    service: `${units}/${revertUnit(name)}.service`,
    timer: `${units}/${revertUnit(name)}.timer`,
    boot: `${units}/${boot}`,
    wanted: `${units}/multi-user.target.wants/${boot}`,
  }
}

/** Takes the revert off the disk; what systemd runs of it just now goes on. */
function forget(name: string): Shell {
  const { now, atBoot, service, timer, boot, wanted } = pathsOf(name)
  return sh`rm -f ${[wanted, boot, timer, service, now, atBoot]} && systemctl daemon-reload`
}

/**
 * The programs that undo: they go once they are done, but for one that was asked for while the timer waits, which stays
 * until somebody got in. One that fails stays, for the next boot.
 */
function programs(name: string, undo: Command, atBoot: Command): [now: string, boot: string] {
  const waits = sh`[ "$(systemctl show -p SubState --value ${revertUnit(name)}.timer)" = waiting ]`
  const path = 'export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; umask 022'
  const done = forget(name).line
  return [
    `${path}\n(\n${undo.line}\n) || exit\n${waits.line} || { ${done}; }\n`,
    `${path}\n(\n${atBoot.line}\n) || exit\n${done}\n`,
  ]
}

const unconfined =
  '# Not confined: it puts the files of sshd or the firewall back, and starts these anew, whatever they need.'

const describe = (name: string) => `Description=Undo a change of ${name} that nobody confirmed`

/** systemd.unit(5): before whatever lets in reads the files, and after those are there. */
const unitTexts = (
  { name, seconds }: Guard,
  { now, atBoot }: Paths,
): Record<'service' | 'timer' | 'boot', string[]> => ({
  service: ['[Unit]', describe(name), '[Service]', unconfined, 'Type=oneshot', `ExecStart=/bin/sh ${now}`],
  timer: ['[Unit]', describe(name), '[Timer]', `OnActiveSec=${seconds}s`, 'AccuracySec=1s'],
  boot: [
    '[Unit]',
    `${describe(name)} before the host went down`,
    'DefaultDependencies=no',
    `RequiresMountsFor=/etc ${folder}`,
    'After=local-fs.target',
    'Wants=network-pre.target',
    'Before=network-pre.target ufw.service ssh.service ssh.socket shutdown.target',
    'Conflicts=shutdown.target',
    '[Service]',
    unconfined,
    'Type=oneshot',
    'TimeoutStartSec=60',
    `ExecStart=/bin/sh ${atBoot}`,
    '[Install]',
    'WantedBy=multi-user.target',
  ],
})

/**
 * Arms the revert of a guard: a timer fires it after its seconds, or the next boot does. One without an undo of its own
 * winds the clock of what an interrupted run left armed. The programs go by stdin, so their quoting is nobody's business;
 * they hold no secret.
 */
export function armRevert(guard: Guard): Command {
  const { name, undo, undoAtBoot = undo } = guard
  const timer = `${revertUnit(name)}.timer`
  const paths = pathsOf(name)
  if (!undo || !undoAtBoot) return sh`[ ! -e ${paths.timer} ] || systemctl restart ${timer}`
  const texts = unitTexts(guard, paths)
  const write = (['service', 'timer', 'boot'] as const).map(
    (part) => sh`printf ${'%s\\n'} ${texts[part]} >${paths[part]}`,
  )
  const files = [paths.now, paths.atBoot, paths.service, paths.timer, paths.boot]
  const line = all(
    sh`{ systemctl stop ${timer} 2>/dev/null; umask 077; mkdir -p ${folder}; }`,
    raw('read -r now && read -r boot'),
    sh`printf %s "$now" | base64 -d >${paths.now} && printf %s "$boot" | base64 -d >${paths.atBoot}`,
    raw('umask 022'),
    ...write,
    sh`mkdir -p ${`${units}/multi-user.target.wants`} && ln -sfn ${paths.boot} ${paths.wanted}`,
    sh`sync ${[...files, folder, units, `${units}/multi-user.target.wants`]}`,
    sh`systemctl daemon-reload && systemctl start ${timer}`,
  )
  const encoded = programs(name, undo, undoAtBoot).map((program) => Buffer.from(program).toString('base64'))
  return withStdin(line, plainText(`${encoded.join('\n')}\n`))
}

/** Runs it now; nothing to do where it ran by itself meanwhile. */
export const revertNow = (name: string): Shell =>
  sh`[ ! -e ${pathsOf(name).service} ] || systemctl start ${revertUnit(name)}.service`

/** Disarms a revert that is armed still; fails where it ran meanwhile, or runs just now. */
export function disarmRevert(name: string): Shell {
  const state = sh`[ "$(systemctl show -p ActiveState --value ${revertUnit(name)}.service)" != activating ]`
  return sh`[ -e ${pathsOf(name).service} ] && systemctl stop ${revertUnit(name)}.timer && ${state} && ${forget(name)}`
}

/** The same where it may be gone: it did its work, or one of a run of another version was armed until the next boot only. */
export const forgetRevert = (name: string): Shell =>
  sh`systemctl stop ${revertUnit(name)}.timer 2>/dev/null; [ ! -e ${pathsOf(name).service} ] || { ${forget(name)}; }`
