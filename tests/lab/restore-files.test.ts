import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { unpackFunctions } from '@infra/shared/archive/programs'
import { describe, expect, test } from 'vitest'
import { project } from '../support/cli.ts'
import { type Entry, tarOf } from '../support/tar.ts'
import { awaitsThat } from '../support/wait.ts'
import { requireLab, title } from './prerequisites.ts'
import { run } from './run.ts'

const skip = requireLab('host')
const parts = readdirSync(join(project, 'pod/files'))
  .filter((name) => /^restore.*\.sh$/.test(name))
  .sort()

/** Exchanges names in /opt/valence as another account, as fast as that goes, in two processes. */
const race = `import os, time
os.chdir('/opt/valence')
child = os.fork()
while True:
    try:
        if child == 0:
            os.symlink('/etc/apt/apt.conf.d', 'config.restoring')
            continue
        for name in os.listdir('.'):
            if name.startswith('.restoring') and not os.path.islink(name):
                os.rename(name, '.away%d' % time.monotonic_ns())
                os.symlink('/etc/apt/apt.conf.d', name)
    except OSError:
        pass
`

/** The files of a restore, without a database, where the places that it knows are empty ones of this process. */
const restore = (attack: string) => `set -e
mount --make-rprivate /
for place in /opt /mnt /etc/apt/apt.conf.d; do mount -t tmpfs -o mode=755 lab $place; done
echo '// the lab' >/etc/apt/apt.conf.d/00lab
mkdir -p /opt/valence/config /mnt/restore/new/opt/valence/config
echo old >/opt/valence/config/vkb.env
cd /mnt/restore
echo new >new/opt/valence/config/vkb.env
chown -R nobody: new/opt/valence /opt/valence
# The accounts of a pod.
{ cat /etc/passwd; for n in valence:x:61990 matrix-synapse:x:61991; do echo "$n:65534::/:/bin/sh"; done; } >/mnt/passwd
mount --bind /mnt/passwd /etc/passwd
cat >/mnt/unpack.sh <<'END'
${unpackFunctions()}
END
tar -C new -cf config.000000 opt
rm -r new
cat >/mnt/race.py <<'END'
${race}END
${attack}
set +e
bash -c '. /mnt/unpack.sh; ${parts.map((name) => `. ${join(project, 'pod/files', name)}`).join('; ')}
count() { echo 0; }
rename() { :; }
comes_back() { :; }
folder=/mnt/restore stamp=now had=0
cd $folder
ready_files && exchange' 2>&1
echo "ended with $?"
[ -z "\${racing:-}" ] || kill "$racing"
echo "outside: $(cd /etc/apt/apt.conf.d && find . | sort | paste -sd ' ')"
cat /opt/valence/config/vkb.env /opt/valence/config.before-restore-now/vkb.env`

const inNamespace = async (attack: string) =>
  (await run('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', restore(attack)])).stdout

describe.skipIf(skip)(title('the files of a restore', skip), () => {
  test('are exchanged, and what was there is kept', async () => {
    expect(await inNamespace('')).toMatch(/ended with 0\noutside: \. \.\/00lab\nnew\nold\n$/)
  })

  test('go nowhere else while who owns the folder exchanges every name in it', async () => {
    const begun = awaitsThat('[ -L /opt/valence/config.restoring ]')
    for (let round = 0; round < 8; round++) {
      const attack = `cd /; runuser -u nobody -- python3 /mnt/race.py & racing=$!; ${begun}; cd /mnt/restore`
      expect(await inNamespace(attack)).toMatch(/ended with [01]\noutside: \. \.\/00lab\n/)
    }
  })

  /** The pieces of archives, each a part of its own, in the place of the one that is there. */
  const pieces = (of: Readonly<Record<string, readonly Entry[]>>) =>
    Object.entries(of)
      .map(([part, entries]) => `base64 -d >${part}.000000 <<<${tarOf(entries).toString('base64')}`)
      .join('\n')
  const config: readonly Entry[] = [
    { name: 'opt/valence/config', type: '5', mode: 0o755 },
    { name: 'opt/valence/config/vkb.env', content: 'new\n' },
  ]
  const out: Entry = { name: 'opt/valence/config/out', type: '2', link: '/etc/apt/apt.conf.d' }
  const through: Entry = { name: 'opt/valence/config/out/99red', content: 'red' }
  const outMedia: Entry = { name: 'var/lib/matrix-synapse/media/out', type: '2', link: '/etc/apt/apt.conf.d' }

  test.each<[string, Readonly<Record<string, readonly Entry[]>>]>([
    ['a link of one part, and a file through it of the next', { config: [...config, out], media: [through] }],
    ['a link and a file through it', { config: [...config, out, through] }],
    ['an absolute name', { config: [...config, { name: '/etc/apt/apt.conf.d/99red', content: 'red' }] }],
    ['a name that leads up', { config: [...config, { name: `../../etc/apt/apt.conf.d/99red`, content: 'red' }] }],
    [
      'a second name of a file outside',
      {
        config: [...config, { name: 'opt/valence/config/x', type: '1', link: '../../../etc/apt/apt.conf.d/00lab' }],
      },
    ],
    ['a device', { config: [...config, { name: 'opt/valence/config/null', type: '3' }] }],
    ['a link of media, and a file through it', { media: [outMedia, { ...through, name: `${outMedia.name}/99red` }] }],
  ])('that hold %s are refused: nothing is exchanged, and nothing outside changes', async (_, of) => {
    expect(await inNamespace(pieces(of))).toMatch(/archive: [^\n]+\n(.*\n)*ended with 1\noutside: \. \.\/00lab\nold\n$/)
  })

  test('are made by an account without a name, and settled by root; a link that leads out is told', async () => {
    const seen = `mount -t tmpfs -o mode=755 lab /usr/local/sbin; touch /mnt/seen; chmod 666 /mnt/seen
cat >/usr/local/sbin/python3 <<'END'
#!/bin/sh
echo "$4 $(id -u) $(sed -n 's/^CapBnd:\t//p' /proc/self/status)" >>/mnt/seen
exec /usr/bin/python3 "$@"
END
chmod 755 /usr/local/sbin/python3`
    const said = await inNamespace(`${pieces({ config: [...config, out] })}\n${seen}
trap 'cat /mnt/seen; stat -c "%n %U %a" /opt/valence/config /opt/valence/config/*' EXIT`)
    expect(said).toContain('UNMADE /opt/valence/config/out\n')
    expect(said).toMatch(/ended with 0\noutside: \. \.\/00lab\nnew\nold\n/)
    expect(said).toMatch(/\npart 60[89]\d\d 0+\nsettle 0 /)
    expect(said).toMatch(/\/opt\/valence\/config valence 755\n\/opt\/valence\/config\/vkb\.env valence 644\n$/)
  })

  test('are not taken where a folder above is another account’s', async () => {
    expect(await inNamespace('chown nobody: /opt')).toMatch(
      /\/opt is not root's: what is below it cannot be exchanged safely\nended with 1\noutside: \. \.\/00lab\n/,
    )
  })
})
