// Writes the locks of the default SYNAPSE_VERSION anew (`npm run lock`): all that pip would install today, by the hash of each
// file that one of the supported systems may take. Needs Python 3.11 or newer, PyPI, and what builds psycopg2 (libpq-dev).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synapseVersion } from '../../pod/env/synapse.ts'
import { lockFiles, sourceNames } from '../../pod/synapse/lock.ts'

interface Report {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string }
    readonly download_info: { readonly archive_info: { readonly hashes: { readonly sha256: string } } }
  }[]
}

// Debian 12, Ubuntu 24.04, Debian 13; the oldest of them has glibc 2.36.
const pythons = ['3.11', '3.12', '3.13']
const machines = ['x86_64', 'aarch64']
const platforms = (machine: string) => [
  ...Array.from({ length: 32 }, (_, n) => `manylinux_2_${36 - n}_${machine}`),
  ...['manylinux2014', 'manylinux2010', 'manylinux1', 'linux'].map((tag) => `${tag}_${machine}`),
]

const folder = mkdtempSync(join(tmpdir(), 'synapse-lock-'))
try {
  const venv = join(folder, 'venv')
  const python = (...args: string[]) => execFileSync(join(venv, 'bin/python'), args)
  execFileSync('python3', ['-m', 'venv', venv])
  python('-m', 'pip', 'install', '--quiet', '--upgrade', 'pip')
  const resolve = (...args: string[]): Report['install'] => {
    const report = join(folder, 'report.json')
    const dry = ['install', '--dry-run', '--quiet', '--ignore-installed', '--report', report]
    python('-m', 'pip', ...dry, ...args)
    return (JSON.parse(readFileSync(report, 'utf8')) as Report).install
  }

  const desired = (extra: string) => `matrix-synapse${extra}==${synapseVersion}`
  const built = sourceNames.flatMap((name) => ['--no-binary', name])
  const resolved = resolve('--only-binary', ':all:', ...built, desired('[postgres]'))
  const pins = join(folder, 'pins')
  writeFileSync(pins, resolved.map(({ metadata: { name, version } }) => `${name}==${version}\n`).join(''))

  const hashes = new Map<string, Set<string>>()
  const note = (install: Report['install']) => {
    for (const { metadata, download_info } of install) {
      const pin = `${metadata.name.toLowerCase().replace(/[-_.]+/g, '-')}==${metadata.version}`
      hashes.set(pin, (hashes.get(pin) ?? new Set()).add(download_info.archive_info.hashes.sha256))
    }
  }
  const isBuilt = (name: string) => sourceNames.includes(name)
  note(resolved.filter(({ metadata }) => isBuilt(metadata.name)))
  for (const version of pythons) {
    for (const machine of machines) {
      const tags = platforms(machine).flatMap((tag) => ['--platform', tag])
      const place = ['--target', join(folder, 'target'), '--python-version', version, '--only-binary', ':all:']
      note(resolve(...place, ...tags, '--constraint', pins, desired('')))
    }
  }

  const text = (wanted: (name: string) => boolean) => {
    const chosen = [...hashes].filter(([pin]) => wanted(pin.split('==')[0] ?? '')).sort()
    const lines = chosen.map(([pin, all]) =>
      [pin, ...[...all].sort().map((hash) => `--hash=sha256:${hash}`)].join(' \\\n    '),
    )
    return `# Written by \`npm run lock\`, for Synapse ${synapseVersion}.\n${lines.join('\n')}\n`
  }
  writeFileSync(
    lockFiles.wheels,
    text((name) => !isBuilt(name)),
  )
  writeFileSync(lockFiles.sources, text(isBuilt))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
