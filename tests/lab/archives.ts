import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { tarOf } from '../support/tar.ts'
import { onHost } from './backup-drill.ts'
import { failureOf } from './pod-runs.ts'
import type { Pod } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { must } from './run.ts'

/**
 * An archive as somebody makes it who has the public key: a genuine one's database, and in its second part a file through a
 * link of the first. Gives its path.
 */
async function forge(pod: Pod, genuine: string, path: string): Promise<string> {
  const config = tarOf([
    { name: 'opt/valence/config', type: '5', mode: 0o755 },
    { name: 'opt/valence/config/out', type: '2', link: '/etc/apt/apt.conf.d' },
  ])
  writeFileSync(join(pod.root, 'config'), config)
  writeFileSync(join(pod.root, 'media'), tarOf([{ name: 'opt/valence/config/out/99red', content: 'red' }]))
  const program = `cd "$4"; mkdir forging; tail -c +1025 "$1" | age -d -i "$2" | tar -xi -C forging; cd forging
rm config.* media.*; mv ../config config.000000; mv ../media media.000000
sha256sum database.* config.* media.* manifest.json >SHA256SUMS
for name in database.* config.* media.* manifest.json SHA256SUMS; do tar -cf - "$name"; done | age -R "$2.pub" >"$3"
cd ..; rm -r forging`
  await must('bash', ['-ec', program, 'bash', genuine, pod.host.keyFile, path, pod.root])
  return path
}

type Restore = (file: string, ...more: string[]) => Promise<CliResult>

/** Such an archive is refused, as it is and under the head of the genuine one; and trusted it writes nothing outside. */
export async function judgeForged(pod: Pod, genuine: string, folder: string, restore: Restore): Promise<void> {
  const out = '/etc/apt/apt.conf.d'
  const fingerprint = `find /etc/apt /etc/cron.d /root -printf '%p %y %m %u %l\\n' | sort; cat ${out}/*`
  const outside = await onHost(pod.host, fingerprint)
  const forged = await forge(pod, genuine, join(folder, 'forged'))
  const sure = ['--confirm', domain]
  expect(failureOf(await restore(forged, ...sure), 1).message).toMatch(/nobody known here vouches for/)
  // With the head of a genuine one before it, too.
  const worn = join(folder, 'worn')
  writeFileSync(worn, Buffer.concat([readFileSync(genuine).subarray(0, 1024), readFileSync(forged)]))
  expect(failureOf(await restore(worn, ...sure, '--trust-archive'), 1).message).toMatch(/damaged or cut off/)
  const later = readFileSync(genuine, 'latin1').replace(/made: 2/, 'made: 3')
  writeFileSync(join(folder, 'later'), later, 'latin1')
  expect(failureOf(await restore(join(folder, 'later'), ...sure, '--trust-archive'), 1).message).toMatch(/forged/)
  const trusted = await restore(forged, ...sure, '--trust-archive')
  expect(failureOf(trusted, 1).message).toMatch(/failed and was undone/)
  expect(trusted.stdout).toMatch(/archive: it holds opt\/valence\/config\/out\/99red, which no backup does/)
  expect(await onHost(pod.host, fingerprint)).toBe(outside)
}

/** What is refused of the timer's archives, and of the key that signs them; then one is restored. */
export async function judgeTimers(pod: Pod, copied: string): Promise<void> {
  const restore = (file: string, ...more: string[]) =>
    pod.cli('restore', file, '--identity', join(pod.root, 'age.key'), '--confirm', domain, '--json', ...more)
  const pins = join(pod.root, `.infra/archives/${domain}.keys`)
  const [pin = ''] = readFileSync(pins, 'utf8').trim().split(' ')
  rmSync(pins)
  expect(failureOf(await restore(copied), 1).message).toMatch(/signed by a key that is not pinned here/)
  // Another key on the host is not taken for the pinned one, until who deploys says that it is right.
  const signing = '/var/lib/infra/archive-signing.pem'
  expect(await onHost(pod.host, `stat -c '%a %U' ${signing}`)).toBe('600 root\n')
  writeFileSync(pins, `${pin} 2026-11-01T00:00:00Z\n`)
  await onHost(pod.host, `cp -a ${signing} /root/signing; openssl genpkey -algorithm ed25519 -out ${signing}`)
  const changed = failureOf(await pod.cli('deploy', '--yes', '--json', '-t', 'backup'), 1)
  expect(changed.message).toMatch(
    /the key that signs scheduled backups on the host, SHA256:\S+, is not one that is pinned/,
  )
  expect(changed.remedy).toMatch(/echo MCowBQYDK2VwAyEA\S+ >>/)
  await onHost(pod.host, `cp -a /root/signing ${signing}`)
  expect((await pod.cli('plan', '--detailed-exitcode', '-t', 'backup')).code).toBe(0)
  const tampered = join(pod.root, 'tampered.age')
  const bytes = readFileSync(copied)
  writeFileSync(tampered, Buffer.from(bytes).fill((bytes[5000] ?? 0) ^ 1, 5000, 5001))
  expect(failureOf(await restore(tampered, '--trust-archive'), 1).message).toMatch(/damaged or cut off/)
  const restored = await restore(copied)
  expect(restored.code, restored.stdout).toBe(0)
  expect(restored.stdout).toMatch(/signed by the pod's timer \(key pinned 2026-11-01T00:00:00Z\)/)
}
