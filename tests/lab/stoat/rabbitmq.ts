import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from '../cache.ts'
import { aptAccess, mirrors, resolvers } from '../machine.ts'
import { debianRoot } from '../root.ts'
import { must, tether } from '../run.ts'

/** The user and group of the broker, as in the real image. */
export const rabbitmqUser = 999

// Root hands over to the broker's own user; who is somebody else already stays so.
const entrypoint = `#!/bin/bash
set -e
if [ "$1" = rabbitmq-server ] && [ "$(id -u)" = 0 ]; then
  find /var/lib/rabbitmq ! -user ${rabbitmqUser} -exec chown ${rabbitmqUser}:${rabbitmqUser} {} +
  exec setpriv --reuid ${rabbitmqUser} --regid ${rabbitmqUser} --clear-groups "$0" "$@"
fi
exec "$@"
`

const packages = ['rabbitmq-server']
// What no container needs, and what makes the image twice as large.
const waste = 'usr/share/doc usr/share/man usr/share/locale usr/share/perl var/cache/apt var/lib/apt usr/lib/udev boot'

/** What the broker's programs find in the environment of the image. */
export const rabbitmqEnv = {
  PATH: '/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/var/lib/rabbitmq',
  LANG: 'C.UTF-8',
  RABBITMQ_LOGS: '-',
} as const

/** A Debian root with the real RabbitMQ and its management plugin (4.0), made once from a bare one in half a minute. */
export async function rabbitmqRoot(): Promise<string> {
  const bare = await debianRoot('trixie')
  const recipe = { version: 1, bare, packages, entrypoint, waste, from: await mirrors(), access: await aptAccess() }
  return cached('rabbitmq', recipe, async (root) => {
    await must('cp', ['-a', `${bare}/.`, root])
    await writeFile(join(root, 'etc/resolv.conf'), await resolvers())
    await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    const id = String(rabbitmqUser)
    const inside = async (...words: string[]) => {
      const [program, ...args] = [...tether, 'chroot', root, 'env', 'DEBIAN_FRONTEND=noninteractive', ...words]
      await must(program, args)
    }
    await inside('groupadd', '-o', '-g', id, 'rabbitmq')
    await inside('useradd', '-o', '-u', id, '-g', id, '-d', '/var/lib/rabbitmq', '-s', '/bin/bash', 'rabbitmq')
    await inside('apt-get', '-qq', 'update')
    await inside('apt-get', '-qq', '-y', '--no-install-recommends', 'install', ...packages)
    await must('sh', ['-c', `cd "$1" && rm -rf ${waste}`, 'sh', root])
    for (const name of ['etc/resolv.conf', 'var/lib/rabbitmq/.erlang.cookie'])
      await rm(join(root, name), { force: true })
    await writeFile(join(root, 'etc/rabbitmq/enabled_plugins'), '[rabbitmq_management].\n')
    await must('mkdir', ['-p', join(root, 'etc/rabbitmq/conf.d')])
    await writeFile(join(root, 'etc/rabbitmq/conf.d/10-defaults.conf'), 'loopback_users.guest = false\n')
    const file = join(root, 'usr/local/bin/docker-entrypoint.sh')
    await writeFile(file, entrypoint)
    await chmod(file, 0o755)
  })
}
