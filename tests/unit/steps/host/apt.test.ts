import { changesOf, makePlan } from '@infra/shared/engine/plan'
import { viewOf } from '@infra/shared/report/plan-view'
import { aptPackages, explainApt } from '@infra/shared/steps/host/apt'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const step = aptPackages(blank('a new host'), ['ufw', 'less'])

describe('packages', () => {
  test.each<[string, object, string[]]>([
    ['there', { installed: { ufw: '1', less: '2' } }, ['= 2 installed']],
    ['one missing', { installed: { less: '2' } }, ['+ package ufw']],
    ['both missing', {}, ['+ packages ufw less']],
    ['half installed', { installed: { ufw: '1', less: '2' }, audit: 'less' }, ['~ packages left half installed']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ installed: {}, audit: '', ...now }, { pending: [] }))).toEqual(desired)
  })

  test('are shown by what installs them; the line that is run waits for others, too', async () => {
    const plan = await makePlan([{ script: 'base', steps: [step] }], () => {})
    const [shown] = viewOf(plan, { commands: true }).steps.flatMap(({ changes }) => changes)
    expect(shown?.commands).toEqual([
      'apt-get update && apt-get -y install --no-remove --no-install-recommends ufw less',
    ])
    const [change] = plan.steps.flatMap(changesOf)
    expect(change?.run.map(({ line }) => line).join()).toContain('waiting for another package manager')
  })

  test('that were left half installed are mended once, and that is told once, whatever steps want packages', () => {
    const plans = [step, aptPackages(blank('a new host'), ['age'])].map((one) =>
      one.plan({ installed: {}, audit: 'less' }, { pending: [] }),
    )
    const once = plans.map((plan) => (plan.kind === 'changes' ? plan.changes[0]?.once : undefined))
    expect(once).toEqual(['dpkg', 'dpkg'])
  })

  test('are never brought at the cost of others', () => {
    const decision = step.plan({ installed: {}, audit: 'less' }, { pending: [] })
    const lines = decision.kind === 'changes' ? decision.changes.flatMap(({ run }) => run.map(({ line }) => line)) : []
    const installs = lines.flatMap((line) => line.match(/Retries=2 install .*?[;&]/g) ?? [])
    expect(installs.length).toBeGreaterThan(2)
    for (const install of installs) expect(install).toContain('install --no-remove ')
  })
})

const removed = `The following packages will be REMOVED:
  iptables-persistent netfilter-persistent
The following NEW packages will be installed:
  ufw
0 upgraded, 1 newly installed, 2 to remove and 0 not upgraded.
`
const url = 'http://deb.debian.org/debian/pool/main/l/less/less_668-1_amd64.deb'

describe('what apt means', () => {
  test.each<[string, string | undefined]>([
    [
      `${removed}E: Packages need to be removed but remove is disabled.\n`,
      'apt would take away iptables-persistent netfilter-persistent, so nothing was done: if they may go, apt-get remove them on the host, then run again',
    ],
    [
      `E: Failed to fetch ${url}  404  Not Found [IP: 198.51.100.7 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n`,
      `the package mirror is being updated, or wrong: it lists ${url} and does not have it`,
    ],
    [
      `E: Failed to fetch ${url}  Could not connect to deb.debian.org:80 (198.51.100.7).\n`,
      'the package mirror cannot be reached',
    ],
    [
      'E: Conflicting values set for option Signed-By regarding source https://packages.matrix.org/debian/ noble: /usr/share/keyrings/matrix-org-archive-keyring.gpg != \nE: The list of sources could not be read.\n',
      'two sources on the host name different keys for https://packages.matrix.org/debian/: keep one of those that grep -rn packages.matrix.org /etc/apt/sources.list* shows',
    ],
    ["E: You don't have enough free space in /var/cache/apt/archives/.\n", 'the disk is full'],
    ['E: Unable to locate package lesser\n', 'no source on the host has the package lesser'],
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt-get)\n',
      'another package manager is at work (process 7, apt-get)',
    ],
    [
      'dpkg: error: dpkg frontend lock was locked by another process with pid 7\n',
      'another package manager is at work (process 7)',
    ],
    ['Setting up less\n', undefined],
  ])('%j', (stdout, says) => {
    expect(explainApt({ code: 100, stdout, stderr: '' })).toBe(says)
  })
})
