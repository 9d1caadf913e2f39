import { chmodSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { run } from '../../lab/run.ts'
import { launcher, plainEnv, project } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const options = { cwd: project, env: plainEnv() }
/** As it is typed. */
const npm = (words: readonly string[]) => run('npm', words, options)
/** What npm starts, without npm's own second. */
const started = (file: string, ...words: string[]) => run(process.execPath, [launcher, file, ...words], options)

describe.concurrent('npm run rehearse', () => {
  const rehearse = (...words: string[]) => npm(['run', '-s', 'rehearse', ...words])

  test('tells what it takes', async () => {
    const { code, stdout, stderr } = await rehearse('-w', 'pod', '--', '--help')
    expect([code, stderr]).toEqual([0, ''])
    for (const word of ['--keep', '--end', '--upstream DIR', '--yes', 'npm run rehearse [-w pod|cluster|stoat]'])
      expect(stdout).toContain(word)
  })

  test('refuses an option that npm keeps for itself', async () => {
    const { code, stdout, stderr } = await rehearse('-w', 'pod', '--keep')
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('error: npm consumed --keep: put -- before the options')
  })

  test.each<[words: string[], says: string]>([
    [['pond'], 'there is no rehearsal of "pond"'],
    [['--nope'], "Unknown option '--nope'\n"],
    [['--keep'], '--keep keeps one: name a workspace (-w)'],
  ])('refuses %j', async (words, says) => {
    const { code, stdout, stderr } = await started('tests/lab/rehearse.ts', ...words)
    expect([code, stdout, stderr]).toEqual([64, '', expect.stringContaining(`error: ${says}`)])
  })

  test.each([
    [['-w', 'pod'], 'pod'],
    [['-w', 'cluster'], 'cluster'],
    [['-w', 'stoat'], 'stoat'],
  ])('says what it will do and names what the machine lacks, before it does anything: %j', async (where, ...does) => {
    const said = await withoutPackages(['npm', 'run', '-s', 'rehearse', ...(where as string[])])
    expect([said.code, said.stderr]).toEqual([1, ''])
    for (const name of does) expect(said.stdout).toMatch(says[name as keyof typeof says])
    expect(said.stdout).toMatch(/\nThis machine lacks:\n {2}\S/)
    expect(said.stdout).toMatch(
      /\nFirst: \S|\nThis installs it:\n {2}apt-get install -y .*\n\nGive --yes to have it installed\.\n$/,
    )
  })
})

const says = { pod: /deploys +the pod onto it/, cluster: /deploys +the cluster onto them/, stoat: /then Stoat, twice/ }

/** Runs where what Debian's packages bring is hidden: by root in mounts of its own, by anybody else as it is. */
async function withoutPackages(words: readonly string[]) {
  const empty = tempFolder()
  chmodSync(empty, 0o755)
  const hide = ['/usr/share/keyrings', '/usr/lib/cni'].map(
    (path) => `[ ! -d ${path} ] || mount --bind ${empty} ${path}`,
  )
  const isRoot = process.getuid?.() === 0
  const script = `${isRoot ? hide.join(' && ') : 'true'} && exec "$@"`
  const [program = '', ...args] = [...(isRoot ? ['unshare', '--mount'] : []), 'sh', '-c', script, 'sh', ...words]
  return run(program, args, options)
}

describe('npm run bench', () => {
  test('lists what it measures', async () => {
    const { code, stdout, stderr } = await npm(['run', '-s', 'bench', '--', '--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const name of ['aws', 'kubernetes', 'stoat', 'root', 'help', 'noop', 'first'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
  })

  test('refuses another', async () => {
    const { code, stdout, stderr } = await started('tests/bench/bench.ts', 'nop')
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('error: there is no bench "nop"')
  })

  test('measures: the shortest', async () => {
    const { code, stdout, stderr } = await npm(['run', '-s', 'bench', '--', 'help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^help:( \d+\.\d\d){5} s \(at most 0\.5\)\n$/)
  })
})
