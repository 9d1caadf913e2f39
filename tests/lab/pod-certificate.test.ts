import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onHost as on } from './backup-drill.ts'
import { type DnsFake, startDns } from './dns-fake.ts'
import { deployed, expectConverged, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('host', 'git', 'acme')
const matrix = `matrix.${domain}`

describe.skipIf(skip)(title('a name of the certificate that leads to the pod no more', skip), () => {
  let pod: Pod
  let dns: DnsFake
  let gone: boolean
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    gone = true
    dns = await startDns((name) => (name !== matrix || gone ? [] : [pod.host.address]), {
      host: pod.host.gateway,
      port: 53,
    })
    // The account of a saved host is of an authority that is gone.
    await onHost(`rm -r /etc/letsencrypt/accounts
echo 'nameserver ${pod.host.gateway}' >/etc/resolv.conf
sed -i 's/ ${matrix}//' /etc/hosts`)
    await pod.acme.fails(matrix, true)
  })
  afterAll(async () => {
    await dns?.stop()
    await pod?.close()
  })

  const onHost = (script: string) => on(pod.host, script)
  /** Leaves so many of 90 days to a certificate of the same names, which nobody issued; it is served. */
  const age = (left: number) =>
    onHost(`cd /etc/letsencrypt/live/${domain}
at() { date -u -d "$1 hours" +%Y%m%d%H%M%SZ; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lab \
-addext "$(openssl x509 -noout -ext subjectAltName -in cert.pem | sed -n 's/^ *DNS:/subjectAltName=DNS:/p' | tr -d ' ')" \
-not_before "$(at -${(90 - left) * 24})" -not_after "$(at ${left * 24})" -keyout /root/key -out /root/pem 2>/dev/null
for file in cert fullchain; do cat /root/pem >$(readlink -f $file.pem); done
cat /root/key >$(readlink -f privkey.pem)
systemctl reload nginx
served() { openssl s_client -connect 127.0.0.1:443 -servername ${domain} </dev/null 2>/dev/null; }
until served | openssl x509 -noout -serial | grep -qx "$(openssl x509 -noout -serial -in /root/pem)"; do :; done`)
  const held = async () => {
    const file = `/etc/letsencrypt/live/${domain}/fullchain.pem`
    const names = await onHost(`openssl x509 -noout -ext subjectAltName -in ${file} | grep -o 'DNS:[^, ]*' | sort`)
    return names.trim().replaceAll('DNS:', '').split('\n')
  }
  const renew = () => pod.host.exec('certbot renew --quiet --force-renewal --no-random-sleep-on-renew')
  const deployedCertificate = async () =>
    (await deployed(pod)).filter((made) => made.startsWith('certificate ')).map((made) => made.replace(/^.*?: /, ''))

  test('is left out of the certificate once that is late, so that it is renewed again', async () => {
    expect(await held()).toEqual([matrix, domain])
    expect(await deployed(pod)).toEqual([])
    await age(20)
    expect((await renew()).code).toBe(1)
    // Name servers that fail deny nothing.
    await onHost(`echo 'nameserver 127.0.0.1' >/etc/resolv.conf`)
    expect(await deployed(pod)).toEqual([])
    await onHost(`echo 'nameserver ${pod.host.gateway}' >/etc/resolv.conf`)
    expect(await deployedCertificate()).toEqual([
      `certificate renewed, without ${matrix}, which does not resolve: no renewal succeeds with ${matrix}`,
    ])
    expect(await held()).toEqual([domain])
    expect(await renew()).toMatchObject({ code: 0 })
    expect(await held()).toEqual([domain])
    await expectConverged(pod)
  })

  test('is taken in again when it leads here', async () => {
    gone = false
    await pod.acme.fails(matrix, false)
    expect(await deployedCertificate()).toEqual([`certificate also for ${matrix}`])
    expect(await held()).toEqual([matrix, domain])
    expect(await renew()).toMatchObject({ code: 0 })
    expect(await held()).toEqual([matrix, domain])
    await expectConverged(pod)
  })

  test('is told before a certificate near its end is asked for, or left out of it', async () => {
    await age(5)
    await onHost(`sed -i.here 's/^10\\.[0-9.]* pod/198.51.100.7 pod/' /etc/hosts`)
    expect(failureOf(await pod.cli('deploy', '--yes', '--json'), 1).message).toMatch(
      /pod\.lab\.example\.org leads to 198\.51\.100\.7, not to this host/,
    )
    await onHost(`cat /etc/hosts.here >/etc/hosts; echo '198.51.100.7 ${matrix}' >>/etc/hosts`)
    expect(await deployedCertificate()).toEqual([
      expect.stringMatching(
        /^certificate renewed: its end is near, without matrix\.\S+, which leads to 198\.51\.100\.7, not/,
      ),
    ])
    expect(await held()).toEqual([domain])
    await onHost('cat /etc/hosts.here >/etc/hosts')
    expect(await deployedCertificate()).toEqual([`certificate also for ${matrix}`])
  })
})
