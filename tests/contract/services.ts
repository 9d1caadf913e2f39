import { file } from '@infra/shared/steps/host/file'
import { service, stopped } from '@infra/shared/steps/host/systemd'
import { awaitsThat } from '../support/wait.ts'
import type { Kind } from './kind.ts'

const unit = `[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target`
const slow = '/etc/contract/slow'
// Restarted by somebody who does not wait; until it has read its configuration.
const begun = `rm /run/contract-slow; systemctl restart --no-block contract-slow; ${awaitsThat('[ -s /run/contract-slow ]')}`

/** Kinds of systemd's units: what shall run, by its files, and what shall not. */
export const serviceKinds: readonly Kind[] = [
  {
    kind: 'service',
    covers: ['service'],
    prepare: `mkdir -p /etc/contract; printf '%s\\n' '${unit.replaceAll('\n', "' '")}' >/etc/systemd/system/contract.service
systemctl daemon-reload`,
    steps: (on) => {
      const settings = file(on, '/etc/contract/service', { content: 'x' })
      return [settings, service(on, 'contract.service', { reads: ['/etc/contract/service'], dependsOn: [settings] })]
    },
    damages: [
      { name: 'stopped', sh: 'systemctl stop contract', says: /^contract.service started$/ },
      { name: 'disabled', sh: 'systemctl disable contract', says: /^contract.service at boot$/ },
      {
        name: 'killed',
        sh: `kill -9 $(systemctl show -p MainPID --value contract); ${awaitsThat('! systemctl -q is-active contract')}`,
        says: /^contract.service started$/,
      },
      {
        name: 'older than its configuration: a run that died before the restart',
        sh: 'touch /etc/contract/service',
        says: /^contract.service restarted$/,
      },
      {
        name: 'its configuration edited',
        sh: 'echo y >/etc/contract/service',
        step: 'file /etc/contract/service, service contract.service',
        says: /^\/etc\/contract\/service, contract.service restarted$/,
      },
      {
        name: 'masked',
        sh: 'systemctl disable --now contract; mv /etc/systemd/system/contract.service /root; systemctl mask contract',
        stops: /contract.service is masked/,
        mend: `systemctl unmask contract; mv /root/contract.service /etc/systemd/system; systemctl daemon-reload
systemctl enable --now contract`,
      },
    ],
  },
  {
    kind: 'service that takes its time to start',
    covers: ['service'],
    prepare: `mkdir -p /etc/contract
cat >/usr/local/sbin/contract-slow <<'END'
#!/bin/sh
cp ${slow} /run/contract-slow
sleep "$(sed -n 's/^slow //p' /run/contract-slow | grep . || echo 0)"
systemd-notify --ready; exec sleep infinity
END
chmod 755 /usr/local/sbin/contract-slow; printf '%s\\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' Type=notify NotifyAccess=all \\
ExecStart=/usr/local/sbin/contract-slow '[Install]' WantedBy=multi-user.target >/etc/systemd/system/contract-slow.service
systemctl daemon-reload`,
    steps: (on) => {
      const settings = file(on, slow, { content: 'x\n' })
      return [settings, service(on, 'contract-slow.service', { reads: [slow], dependsOn: [settings] })]
    },
    damages: [
      {
        name: 'starting by a configuration that is written anew then',
        sh: `echo slow 80 >${slow}; ${begun}`,
        step: `file ${slow}, service contract-slow.service`,
        says: /^\/etc\/contract\/slow, contract-slow.service restarted$/,
        healed: 'grep -qx x /run/contract-slow',
      },
      {
        name: 'starting by an old configuration: a run that died in the restart',
        sh: `echo slow 80 >${slow}; ${begun}; echo x >${slow}`,
        says: /^contract-slow.service restarted$/,
        healed: 'grep -qx x /run/contract-slow',
      },
      {
        name: 'started by an old configuration: a run that died in the restart, later',
        sh: `echo slow 3 >${slow}; ${begun}; echo x >${slow}; ${awaitsThat('systemctl -q is-active contract-slow')}`,
        says: /^contract-slow.service restarted$/,
        healed: 'grep -qx x /run/contract-slow',
      },
    ],
  },
  {
    kind: 'service that shall not run',
    covers: ['stopped'],
    judges: true,
    prepare: `cat >/etc/systemd/system/unwanted.service <<'END'\n${unit}\nEND\nsystemctl daemon-reload`,
    steps: (on) => [stopped(on, 'unwanted.service')],
    damages: [
      { name: 'started', sh: 'systemctl start unwanted', says: /^unwanted.service stopped$/ },
      { name: 'enabled', sh: 'systemctl enable --quiet unwanted', says: /^unwanted.service at boot$/ },
      {
        name: 'both',
        sh: 'systemctl enable --quiet --now unwanted',
        says: /^unwanted.service at boot, unwanted.service stopped$/,
      },
    ],
  },
]
