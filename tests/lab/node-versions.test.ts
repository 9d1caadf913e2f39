import { spawn } from 'node:child_process'
import { copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { launcher, plainEnv, project } from '../support/cli.ts'
import { place, sentinel } from '../support/fixture-workspace.ts'
import { steady } from '../support/steady.ts'
import { tempFolder } from '../support/temp.ts'
import { DropletWorld } from './droplet-world.ts'
import { type NodeName, nodeFolders } from './node-versions.ts'
import { requireLab, title } from './prerequisites.ts'
import { type Result, run } from './run.ts'

const skip = requireLab('nodes')

/** Exactly these variables besides the machine's own: what `run` starts inherits ours else. */
const only = (env: Readonly<Record<string, string | undefined>>) => ({
  ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
  ...plainEnv(),
  ...env,
})

/** Sends the process that was started itself a SIGINT while a change is under way, which ends once it was heard. */
async function interrupted(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  folder: string,
): Promise<Result> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '', interrupted: false }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      if (!said.interrupted && said[name].includes('half way')) said.interrupted = child.kill('SIGINT')
      if (said[name].includes('once more to stop at once')) writeFileSync(join(folder, 'go'), '')
    })
  }
  const code = await new Promise<number>((resolve) => child.on('close', (ended) => resolve(ended ?? 128)))
  return { code, ...said }
}

describe.skipIf(skip)(title('run.mjs', skip), () => {
  let folders: Awaited<ReturnType<typeof nodeFolders>>
  beforeAll(async () => {
    folders = await nodeFolders()
  })

  /** Runs a file by the launcher with one of the Nodes, in an environment of its own. */
  const start = (node: NodeName, args: readonly string[], env: Record<string, string> = {}, by = launcher) =>
    run(join(folders[node], 'node'), [by, ...args], { cwd: project, env: only({ HOME: tempFolder(), ...env }) })

  it('says on a Node that is too old which one is needed', async () => {
    expect(await start('node18', ['pod/cli.ts', 'plan'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: Node 20.19 or newer is needed; this is Node 18.20.8 (${folders.node18}/node)\n`,
    })
  })

  it('says what it is to be given', async () => {
    const usage = { code: 64, stderr: 'error: no file is named: node run.mjs FILE.ts [ARGUMENTS]\n' }
    expect(await start('node24', [])).toMatchObject(usage)
    const nowhere = { code: 64, stderr: `error: there is no ${join(project, 'pod/cil.ts')}\n` }
    expect(await start('node24', ['pod/cil.ts', 'plan'])).toMatchObject(nowhere)
  })

  describe('alone, beside a file with types', () => {
    /** The launcher where no package is installed, so that no translator is at hand. */
    const alone = () => {
      const folder = tempFolder()
      copyFileSync(launcher, join(folder, 'run.mjs'))
      const shown = '[process.argv.slice(2), import.meta.url.endsWith(process.argv[1] ?? "")]'
      writeFileSync(join(folder, 'typed.ts'), `const shown: unknown = ${shown}\nconsole.log(JSON.stringify(shown))\n`)
      return folder
    }

    it.each(['node22', 'node24'] as const)('%s needs no tsx, and keeps what it compiled beside it', async (node) => {
      const folder = alone()
      const [home, temp] = [tempFolder(), tempFolder()]
      const file = join(folder, 'typed.ts')
      const ran = await start(node, [file, '--a', 'b c'], { HOME: home, TMPDIR: temp }, join(folder, 'run.mjs'))
      expect(ran).toEqual({ code: 0, stdout: '[["--a","b c"],true]\n', stderr: '' })
      const kept = join(folder, '.infra/cache/node')
      expect(readdirSync(kept)).toEqual([expect.stringMatching(/^v2[24]/)])
      expect(statSync(join(folder, '.infra')).mode & 0o777).toBe(0o700)
      expect([readdirSync(home), readdirSync(temp)]).toEqual([[], []])
    })

    it('a Node before 22.18 says that it needs tsx', async () => {
      const folder = alone()
      const ran = await start('node20', [join(folder, 'typed.ts')], {}, join(folder, 'run.mjs'))
      const remedy = 'npm ci, or use Node 22.18 or newer'
      const stderr = `error: Node 20.19.0 runs TypeScript by tsx, which is not installed: ${remedy}\n`
      expect(ran).toEqual({ code: 1, stdout: '', stderr })
      expect(readdirSync(folder).sort()).toEqual(['run.mjs', 'typed.ts'])
    })
  })

  describe.each(['node20', 'node22', 'node24'] as const)('by %s', (node) => {
    const root = () => ({ INFRA_ROOT: tempFolder() })

    it.each(['pod', 'cluster'])('plans %s offline, with nothing said beside', async (workspace) => {
      const ran = await start(node, [`${workspace}/cli.ts`, 'plan', '--offline', '--no-diff'], root())
      expect([ran.code, steady(ran.stdout)]).toEqual([0, steady((await reference(workspace)).stdout)])
      expect(ran.stderr).toMatch(/^warning: NO ENVIRONMENT[^\n]*\n\w+ → [^\n]*\n(cost [^\n]*\n)?$/)
    })

    it('keeps the exit codes', async () => {
      const offline = ['pod/cli.ts', 'plan', '--offline']
      expect(await start(node, [...offline, '--detailed-exitcode'], root())).toMatchObject({ code: 2 })
      expect(await start(node, [...offline, '--bogus'], root())).toMatchObject({ code: 64 })
    })

    it('runs a script alone', async () => {
      const ran = await start(node, ['pod/scripts/30-postgresql.ts', '--check'], root())
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('extension vector') })
      expect(ran.stdout).not.toContain('ufw')
    })

    it('refuses a flag that npm kept', async () => {
      const env = only({ ...root(), HOME: tempFolder(), PATH: `${folders[node]}:${process.env.PATH}` })
      const ran = await run('npm', ['run', 'plan', '-w', 'pod', '--offline', '--tags', 'ufw'], { cwd: project, env })
      expect(ran.code, ran.stderr).toBe(64)
      expect(ran.stderr).toContain('npm consumed --tags,')
    })

    it('speaks to DigitalOcean', async () => {
      const world = await DropletWorld.start()
      try {
        const ran = await start(node, ['pod/provision/cli.ts', 'deploy', '--check'], world.settings())
        expect(ran.code, ran.stderr).toBe(0)
        expect(ran.stdout).toContain('droplet valence-pod (s-2vcpu-4gb')
      } finally {
        await world.stop()
      }
    })

    it('answers Ctrl-C itself: no process is between', async () => {
      const here = place({ trouble: 'slow' })
      const words = [launcher, join(project, 'tests/support/fixture/cli.ts'), 'deploy', '--yes', '-v']
      const ran = await interrupted(join(folders[node], 'node'), words, here.env, here.folder)
      expect(ran.code, ran.stderr).toBe(130)
      expect(ran.stderr).toContain('stopped as requested, after 4 changes')
      expect(ran.stderr + ran.stdout).not.toContain(sentinel)
    })
  })

  const references = new Map<string, Promise<Result>>()
  /** The plan as the oldest supported Node shows it. */
  const reference = (workspace: string) => {
    const args = [`${workspace}/cli.ts`, 'plan', '--offline', '--no-diff']
    const shown = references.get(workspace) ?? start('node20', args, { INFRA_ROOT: tempFolder() })
    references.set(workspace, shown)
    return shown
  }
})
