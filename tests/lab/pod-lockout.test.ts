import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deployed, eventsOf, failureOf } from './pod-runs.ts'
import { barePod, clonePod, halfMadePod, type Pod } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { run, until } from './run.ts'

const skip = requireLab('host')

const ours = '/etc/ssh/sshd_config.d/00-valence.conf'
const mine = '/etc/ssh/sshd_config.d/50-mine.conf'
const security = ['-t', 'security']

// By hand more often than systemd allows within its ten seconds: one over the limit is refused, and sshd stays down.
const restartSshd = 'systemctl reset-failed ssh.service; systemctl restart ssh.service'

/** ssh by the pod's key and by no connection that is open. */
const ssh = ({ host }: Pod, ...options: string[]) => {
  const own = [...options, '-F', 'none', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=60', '-o', 'LogLevel=ERROR']
  const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-i', host.keyFile]
  return run('ssh', [...own, ...trust, `root@${host.address}`, 'echo in'])
}
const getsIn = async (pod: Pod) => /^in$/m.test((await ssh(pod)).stdout)

/** What sshd offers to somebody without a key. */
const offered = async (pod: Pod) => {
  const { stderr } = await ssh(pod, '-o', 'PreferredAuthentications=none')
  return stderr.match(/\(([a-z,-]+)\)/)?.[1]
}

async function onHost({ host }: Pod, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(script)
  expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

/** All that sshd and the firewall are told, and since when sshd runs. */
const state = (pod: Pod) =>
  onHost(
    pod,
    'cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /etc/ufw/*.rules 2>/dev/null; systemctl show -p MainPID ssh.service',
  )

const deploy = (pod: Pod) => pod.cli('deploy', '--yes', '--json', ...security)
const startedChanges = (stdout: string) => eventsOf(stdout).filter(({ type }) => type === 'change.start')

// Written beside a running sshd that has not read it: only a restart puts it in force.
const denials: [name: string, lines: string[], says: RegExp, remedy: RegExp][] = [
  ['a list of users without ours', ['AllowUsers chris'], /AllowUsers chris in .*50-mine\.conf:1/, /Add root/],
  ['another port', ['Port 2222'], /port 22\b.*Port 2222 in .*50-mine\.conf:1/, /Port 22\b.*VALENCE_SSH_PORT/s],
  [
    'a Match block for the address that we come from',
    ['Match Address 10.77.0.0/16', '  DenyUsers ro*'],
    /DenyUsers ro\* for Address .*50-mine\.conf:2/,
    /Take ro\* out/,
  ],
]

describe.skipIf(skip)(title('what would lock us out of sshd', skip), () => {
  const open: Pod[] = []
  const opened = async (made: Promise<Pod>) => {
    const pod = await made
    open.push(pod)
    return pod
  }
  let pod: Pod
  beforeAll(async () => {
    pod = await opened(clonePod(await halfMadePod()))
    // It counts what this suite does on purpose, and after a boot what is in the journal from before.
    await onHost(
      pod,
      `printf '%s\\n' '[sshd]' 'ignoreip = ${pod.host.gateway}' >/etc/fail2ban/jail.d/zz-suite.local; fail2ban-client reload`,
    )
  })
  afterAll(() => Promise.all(open.map((one) => one.close())))

  test.each(denials)('%s is refused before anything is changed', async (_, lines, says, remedy) => {
    await onHost(pod, `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >${mine}`)
    try {
      const before = await state(pod)
      const result = await deploy(pod)
      const failure = failureOf(result, 1)
      expect(startedChanges(result.stdout)).toEqual([])
      expect(await state(pod)).toBe(before)
      expect(failure.message).toMatch(/^sshd: root would not get in/)
      expect(failure.message).toMatch(says)
      expect(failure.remedy).toMatch(remedy)
    } finally {
      await onHost(pod, `rm -f ${mine}; ${restartSshd}`)
    }
  })

  test('a port beside ours is not a reason to refuse, and will be let in', async () => {
    await onHost(pod, `printf '%s\\n' 'Port 22' 'Port 2222' >${mine}`)
    const { code, stdout } = await pod.cli('plan', ...security)
    expect(code).toBe(0)
    expect(stdout).toMatch(/~ .*sshd restarted/)
    expect(stdout).toMatch(/\+ .*allow 2222\/tcp/)
    await onHost(pod, `rm ${mine}; ${restartSshd}`)
  })

  test('at a first deployment, before anything is changed', async () => {
    const bare = await opened(barePod())
    await onHost(bare, `echo 'AllowUsers chris' >${mine}`)
    const result = await deploy(bare)
    expect(failureOf(result, 1).message).toMatch(/^sshd: root would not get in.*AllowUsers chris/)
    expect(startedChanges(result.stdout)).toEqual([])
    expect(await getsIn(bare)).toBe(true)
  })

  test('what nobody can foresee is undone by more than the same restart, and brings no passwords back', async () => {
    // As at a first deployment.
    await onHost(pod, `rm ${ours}; echo PasswordAuthentication yes >${mine}; ${restartSshd}`)
    expect(await offered(pod)).toMatch(/password/)
    await onHost(pod, `echo 'AuthorizedKeysFile /etc/ssh/nowhere' >>${mine}`)
    const { message } = failureOf(await deploy(pod), 1)
    expect(await getsIn(pod)).toBe(true)
    expect(message).toMatch(/no new connection could be made; it was reverted, and a new connection gets in$/)
    expect(await offered(pod)).toBe('publickey')
    expect(await onHost(pod, 'systemctl show -p ExecStart --value ssh.service')).toMatch(/ -f /)
    await onHost(pod, `rm ${mine}`)
    expect(await deployed(pod, ...security)).toContain(`sshd: ${ours}`)
    expect(await onHost(pod, 'systemctl show -p ExecStart --value ssh.service')).not.toMatch(/ -f /)
    expect(await offered(pod)).toBe('publickey')
  })

  /** Deploys until the host says that it was cut off, then ends both sides there, and brings the host up again. */
  async function cutAndBooted(): Promise<void> {
    await onHost(pod, 'rm -f /run/cut')
    const deployment = pod.start('deploy', '--yes', '--json', ...security)
    const over = deployment.ended.then(({ stdout, stderr }) => stdout + stderr)
    const isCut = async () => ((await pod.host.exec('ls /run/cut')).code === 0 ? true : undefined)
    const early = await Promise.race([over, until('the host to be cut off', 180_000, isCut)])
    expect(early, 'the deploy ended before it cut the host off').toBe(true)
    const wasOut = (await ssh(pod, '-o', 'ConnectTimeout=15')).stdout === ''
    deployment.kill('SIGKILL')
    await pod.host.powerOff('hard')
    await deployment.ended
    await pod.host.powerOn()
    expect(wasOut).toBe(true)
  }
  const cut = 'touch /run/cut; exec sleep 600'

  test('a change of sshd that locked out, the operator killed and the power lost: it lets in after the boot', async () => {
    const hold = '/run/systemd/system/ssh.service.d'
    await onHost(
      pod,
      `rm ${ours}; echo PasswordAuthentication yes >${mine}; ${restartSshd}
echo 'AuthorizedKeysFile /etc/ssh/nowhere' >>${mine}
mkdir -p ${hold}; printf '%s\\n' '[Service]' 'ExecStartPost=sh -c "${cut}"' >${hold}/hold.conf; systemctl daemon-reload`,
    )
    await cutAndBooted()
    expect(await getsIn(pod)).toBe(true)
    expect(await offered(pod)).toBe('publickey')
    expect(await onHost(pod, 'ls /etc/systemd/system | grep infra-revert || true')).toBe('')
    await onHost(pod, `rm ${mine}`)
    expect(await deployed(pod, ...security)).toContain(`sshd: ${ours}`)
  })

  test('a firewall that shut us out, the operator killed and the power lost: the former rules are there after the boot', async () => {
    const [before, after] = ['/etc/ufw/before.rules', '/etc/ufw/after.init']
    const former = 'grep -hE "^(ENABLED|### tuple)" /etc/ufw/ufw.conf /etc/ufw/user*.rules'
    await onHost(
      pod,
      `ufw --force disable; ufw deny from 198.51.100.7
cp -a ${before} ${before}.kept; mv ${after} ${after}.kept 2>/dev/null || true
sed -i 's/^COMMIT$/-A ufw-before-input -p tcp --dport 22 -j DROP\\nCOMMIT/' ${before}
printf '%s\\n' '#!/bin/sh' '[ "$1" = start ] || exit 0' '${cut}' >${after}; chmod 755 ${after}`,
    )
    const rules = await onHost(pod, former)
    await cutAndBooted()
    expect(await getsIn(pod)).toBe(true)
    expect(await onHost(pod, former)).toBe(rules)
    await onHost(pod, `mv ${before}.kept ${before}; rm ${after}; mv ${after}.kept ${after} 2>/dev/null || true`)
    expect(await deployed(pod, ...security)).toContain('firewall: firewall enabled')
    expect(await deployed(pod, ...security)).toEqual([])
  })

  test('a firewall rule on its way when the operator is killed: the host puts the active firewall back, not none', async () => {
    const former =
      'ufw status | grep -E "^(Status|8080)"; grep -hE "^(ENABLED|### tuple)" /etc/ufw/ufw.conf /etc/ufw/user*.rules'
    const slow = '/usr/local/sbin/ufw'
    await onHost(
      pod,
      `ufw allow 8080/tcp; rm -f /run/cut
printf '%s\\n' '#!/bin/sh' '/usr/sbin/ufw "$@" || exit' 'case $* in *delete*) ${cut} ;; esac' >${slow}; chmod 755 ${slow}`,
    )
    const rules = await onHost(pod, former)
    expect(rules).toMatch(/^Status: active\n8080/)
    const deployment = pod.start('deploy', '--yes', '--json', ...security)
    await until(
      'the rule to be gone',
      180_000,
      async () => (await pod.host.exec('ls /run/cut')).code === 0 || undefined,
    )
    deployment.kill('SIGKILL')
    await deployment.ended
    expect(await onHost(pod, former)).not.toBe(rules)
    // What its timer does after a minute.
    await onHost(pod, `rm ${slow}; pkill -f '^sleep 600$'; systemctl start infra-revert-ufw.service`)
    expect(await onHost(pod, former)).toBe(rules)
    expect(await getsIn(pod)).toBe(true)
    // With the firewall, what bans by it starts anew.
    expect(await deployed(pod, ...security)).toContainEqual(expect.stringContaining('port 8080'))
    expect(await deployed(pod, ...security)).toEqual([])
  })
})
