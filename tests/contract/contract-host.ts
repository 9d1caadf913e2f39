import { bootHost } from '../lab/host.ts'
import { ensureState, type SavedState } from '../lab/states.ts'
import { ensureWheels } from '../lab/wheels.ts'

// What the kinds need to find; less and nano are not among them, since those the contract installs itself.
const packages = [
  ...['git', 'curl', 'ca-certificates', 'python3', 'python3-venv', 'tzdata'],
  ...['ufw', 'fail2ban', 'python3-systemd', 'nftables', 'unattended-upgrades'],
  ...['postgresql-17', 'postgresql-17-pgvector', 'nginx', 'openssl'],
]

const prepare = `export DEBIAN_FRONTEND=noninteractive
apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')} &&
useradd --create-home --shell /bin/bash valence && mkdir /opt/contract`

/** A bare Debian 13 with the packages of all kinds, and a user valence. */
export async function contractState(): Promise<SavedState> {
  await ensureWheels('trixie', () => bootHost())
  return ensureState('contract', { version: 1, prepare }, async (as) => {
    const host = await bootHost()
    try {
      const { code, stdout, stderr } = await host.exec(prepare)
      if (code !== 0) throw new Error(`the packages of the contract cannot be installed\n${stdout}${stderr}`)
      return await host.save(as)
    } finally {
      await host.destroy()
    }
  })
}
