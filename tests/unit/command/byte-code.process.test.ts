import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileVenv, halfInstalled, lackingByteCode, mostNames, mostTries } from '@infra/shared/command/byte-code'
import { quote, sh } from '@infra/shared/command/sh'
import { pipState } from '@infra/shared/facts/host/pip'
import { runLocal } from '@infra/shared/targets/process'
import { beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../support/temp.ts'

// A real virtual environment, without pip.
let venv: string
let site: string
const put = (path: string, content = 'a = 1\n') => {
  mkdirSync(join(site, path, '..'), { recursive: true })
  writeFileSync(join(site, path), content)
}
const plain = async () => {
  const { command, parse } = pipState(venv, [])
  return parse(await runLocal(command.line, '')).plain
}
const compile = () => runLocal(compileVenv(sh`${venv}`).line, '')
const emptied = (path: string) => rmSync(join(site, path, '__pycache__'), { recursive: true })

beforeEach(async () => {
  venv = join(tempFolder(), "a venv's")
  expect((await runLocal(sh`python3 -m venv --without-pip ${venv}`.line, '')).code).toBe(0)
  const [version = ''] = readdirSync(join(venv, 'lib'))
  site = join(venv, 'lib', version, 'site-packages')
  for (const path of ['one.py', 'two/__init__.py', 'two/deep/__init__.py', 'two/deep/leaf.py', 'zope/interface/x.py'])
    put(path)
  put('x-1.0.dist-info/METADATA', '')
})

describe('byte code', () => {
  test('is told where it lacks, wherever that is, and made', async () => {
    expect(await plain()).toEqual(['one.py', 'two', 'zope'])
    expect(await compile()).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await plain()).toEqual([])
    emptied('two/deep')
    expect(await plain()).toEqual(['two'])
    await compile()
    emptied('zope/interface')
    expect(await plain()).toEqual(['zope'])
  })

  test('a file that is not a Python of this version is left so', async () => {
    put('two/old.py', 'print "x"\n')
    put('three.py', 'a = "\0"\n')
    expect((await compile()).code).toBe(0)
    expect(await plain()).toEqual([])
  })

  const full = 'OSError: [Errno 28] No space left on device'
  test.each([
    [
      'several processes cannot share work',
      'case $* in *"-j 0"*) echo "Traceback: no semaphores"; exit 1;; esac',
      0,
      '',
    ],
    ['that fails with one too', 'echo "Traceback: no"; exit 1', 1, 'Traceback: no'],
    ['the disk is full', `echo "${full}"; exit 1`, 1, full],
    ['it is killed', 'kill -9 $$', 1, ''],
  ])('where %s', async (_name, script, code, said) => {
    const real = join(venv, 'bin/python3')
    rmSync(join(venv, 'bin/python'))
    writeFileSync(join(venv, 'bin/python'), `#!/bin/sh\n${script}\nexec ${quote(real)} "$@"\n`, { mode: 0o755 })
    expect(await compile()).toMatchObject({ code, stderr: expect.stringContaining(said) })
    if (code === 0) expect(readdirSync(join(site, '__pycache__'))).toHaveLength(1)
  })

  test('an environment of another Python has nothing to be told of', async () => {
    rmSync(join(venv, 'lib'), { recursive: true })
    expect(await plain()).toEqual([])
  })

  // What looking costs, by what is made: files that are opened, and texts that are compiled.
  const looked = async (filling: string) => {
    const { code, stderr } = await runLocal(
      sh`python3 -c ${`import os, sys\nos.chdir(sys.argv[1])\n${filling}`} ${site}`.line,
      '',
    )
    expect(code, stderr).toBe(0)
    const counting = `import sys
count = {}
def heard(event, args):
    # What imports opens of Python's own is elsewhere.
    if event == "compile" or event == "open" and "/site-packages/" in str(args[0]):
        count[event] = count.get(event, 0) + 1
${lackingByteCode}
sys.addaudithook(heard)
names = lacking(True)
print(len(names), count.get("open", 0), count.get("compile", 0))`
    const { stdout } = await runLocal(sh`${venv}/bin/python -I -B -c ${counting}`.line, '')
    return stdout.trim().split(' ').map(Number)
  }
  // Links: to make so many files takes a disk half a minute.
  const modules = (content: string, more = '') => `open("big", "w").write(${JSON.stringify(content)})
for folder in range(50):
    os.makedirs(f"big{folder}/part/__pycache__")
    for module in range(300):
        os.link("big", f"big{folder}/part/m{module}.py")${more}`

  test('of 15,000 modules that have theirs is not looked for in any of them', async () => {
    const made = `
        os.link("big", f"big{folder}/part/__pycache__/m{module}.{sys.implementation.cache_tag}.pyc")`
    expect(await looked(modules('', made))).toEqual([3, 3, 3])
  })

  test('of 15,000 modules in 50 packages is looked for by compiling one of each package', async () => {
    expect(await looked(modules(''))).toEqual([mostNames, mostNames, mostNames])
  })

  test('of 15,000 that are no package is told as of many', async () => {
    const filling = 'open("big", "w").close()\nfor module in range(15000): os.link("big", f"m{module}.py")'
    expect(await looked(filling)).toEqual([mostNames, mostNames, mostNames])
    expect((await plain()).length).toBe(mostNames)
  })

  test('of 15,000 templates, which nobody can compile, is given up soon', async () => {
    const [names, , compiled] = await looked(modules('{{ name }} = {% if %}\n'))
    expect([names, compiled]).toEqual([3, 3 + 50 * mostTries])
  })
})

describe('what pip was cut off in', () => {
  test.each<[string, Readonly<Record<string, string>>, string[]]>([
    ['nothing, where all of its notes are there', { INSTALLER: 'pip\n', RECORD: 'six.py,,\n' }, []],
    ['a package with the RECORD that its wheel brings', { RECORD: 'six.py,,\n' }, ['six-one==1.0']],
    ['a package whose RECORD pip had not written anew', { INSTALLER: 'pip\n' }, ['six-one==1.0']],
    ['a package of which a full disk left an empty note', { INSTALLER: '', RECORD: 'six.py,,\n' }, ['six-one==1.0']],
  ])('is %s', async (_, notes, broken) => {
    put('x-1.0.dist-info/INSTALLER', 'pip\n')
    put('x-1.0.dist-info/RECORD', 'x.py,,\n')
    for (const [name, content] of Object.entries(notes)) put(`six_one-1.0.dist-info/${name}`, content)
    const program = `${halfInstalled}\nimport json\nprint(json.dumps(halfInstalled()))`
    const { stdout } = await runLocal(sh`${venv}/bin/python -I -B -c ${program}`.line, '')
    expect(JSON.parse(stdout)).toEqual(broken)
  })
})
