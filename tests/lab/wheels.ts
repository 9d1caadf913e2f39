import { existsSync } from 'node:fs'
import { cp, link, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lockContents } from '../../pod/synapse/lock.ts'
import { cached, cacheFolder, recipeKey } from './cache.ts'
import type { Release } from './root.ts'

// All that lab hosts may install by pip, with what it needs: none asks an index. Synapse as the locks have it, by its
// hashes, so that they are checked here as they are anywhere.
const wanted = [
  ...['six==1.16.0', 'six==1.17.0'],
  // What builds the stand-in for Valence, and what that needs.
  ...['hatchling==1.27.0', 'editables==0.5', 'psycopg2-binary==2.9.11', 'iniconfig==2.1.0'],
  ...['asyncpg==0.32.0', 'mcp==1.30.0', 'pydantic-settings==2.16.3', 'PyYAML==6.0.4', 'uvicorn[standard]==0.54.0'],
]

const recipe = (release: Release) => ({ version: 2, release, wanted, locks: Object.values(lockContents()) })
const place = 'var/cache/lab-wheels'

type Builder = {
  readonly root: string
  exec(script: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
  destroy(): Promise<void>
}

/** Builds the wheels of a release on a bare host of it, the first time (about a minute). */
export async function ensureWheels(release: Release, boot: () => Promise<Builder>): Promise<void> {
  await cached('wheels', recipe(release), async (folder) => {
    const host = await boot()
    try {
      const { code, stdout, stderr } = await host.exec(`export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y --no-install-recommends python3-venv python3-dev libpq-dev build-essential ca-certificates &&
python3 -m venv /root/venv || exit
for desired in ${wanted.map((one) => `'${one}'`).join(' ')}; do /root/venv/bin/pip wheel -q -w /${place} "$desired" || exit; done
${Object.values(lockContents())
  .map(
    (lock) =>
      `cat >/root/lock <<'END'\n${lock}END\n/root/venv/bin/pip download -q --no-deps --require-hashes -d /${place} -r /root/lock || exit`,
  )
  .join('\n')}`)
      if (code !== 0) throw new Error(`lab: the wheels cannot be built\n${stdout}${stderr}`)
      await cp(join(host.root, place), folder, { recursive: true, preserveTimestamps: true })
    } finally {
      await host.destroy()
    }
  })
}

/** Puts the wheels into a layer of a host, where its pip takes them and looks nowhere else. */
export async function shareWheels(layer: string, release: Release): Promise<void> {
  const folder = join(cacheFolder(), 'wheels', recipeKey(recipe(release)))
  if (!existsSync(`${folder}.done`)) return
  await mkdir(join(layer, place), { recursive: true, mode: 0o755 })
  for (const name of await readdir(folder)) await link(join(folder, name), join(layer, place, name))
  await mkdir(join(layer, 'etc'), { mode: 0o755, recursive: true })
  await writeFile(join(layer, 'etc/pip.conf'), `[global]\nno-index = true\nfind-links = /${place}\n`)
}
