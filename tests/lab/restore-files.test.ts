import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { project } from '../support/cli.ts'
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
tar -C new -cf config.000000 opt
rm -r new
cat >/mnt/race.py <<'END'
${race}END
${attack}
set +e
bash -c '${parts.map((name) => `. ${join(project, 'pod/files', name)}`).join('; ')}
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

  test('are not taken where a folder above is another account’s', async () => {
    expect(await inNamespace('chown nobody: /opt')).toMatch(
      /\/opt is not root's: what is below it cannot be exchanged safely\nended with 1\noutside: \. \.\/00lab\n/,
    )
  })
})
