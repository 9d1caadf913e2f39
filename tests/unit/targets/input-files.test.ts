import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputsCommand } from '@infra/shared/command/inputs'
import { local } from '@infra/shared/targets/local'
import { describe, expect, it } from 'vitest'
import { tempFolder as temporary } from '../../support/temp.ts'

const files = { Dockerfile: 'FROM scratch\n', 'src/a.js': 'a', 'src/run.sh': '#!/bin/sh\n', '.dockerignore': '*.log\n' }

function context(): string {
  const folder = temporary()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  chmodSync(join(folder, 'src/run.sh'), 0o755)
  return folder
}

async function tagOf(folder: string, args: Record<string, string> = {}, recipe = join(folder, 'Dockerfile')) {
  const [output] = await local().ask([inputsCommand({ context: folder, recipe, args })])
  return output
}

describe('the tag of what an image is made of', () => {
  it('is the same elsewhere, whatever does not matter', async () => {
    const folder = context()
    const one = await tagOf(folder, { A: '1', B: '2' })
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{16}\n$/) })
    const copy = join(temporary(), 'elsewhere')
    cpSync(folder, copy, { recursive: true })
    utimesSync(join(copy, 'src/a.js'), 1, 1)
    chmodSync(join(copy, 'src/a.js'), 0o600)
    writeFileSync(join(copy, 'debug.log'), 'ignored')
    mkdirSync(join(copy, '.git'))
    writeFileSync(join(copy, '.git/index'), 'another on every machine')
    mkdirSync(join(copy, 'empty'))
    expect(await tagOf(copy, { B: '2', A: '1' })).toEqual(one)
  })

  it.each<[what: string, change: (folder: string) => void]>([
    ['content', (folder) => writeFileSync(join(folder, 'src/a.js'), 'b')],
    ['a new file', (folder) => writeFileSync(join(folder, 'src/b.js'), '')],
    ['a file that is gone', (folder) => rmSync(join(folder, 'src/a.js'))],
    ['a program that is none any more', (folder) => chmodSync(join(folder, 'src/run.sh'), 0o644)],
    ['a link', (folder) => symlinkSync('a.js', join(folder, 'src/link'))],
    ['the Dockerfile', (folder) => writeFileSync(join(folder, 'Dockerfile'), 'FROM other\n')],
    ['the .dockerignore', (folder) => writeFileSync(join(folder, '.dockerignore'), '*.log\n*.tmp\n')],
  ])('is another for %s', async (_, change) => {
    const folder = context()
    const before = await tagOf(folder)
    change(folder)
    const after = await tagOf(folder)
    expect(after?.code).toBe(0)
    expect(after?.stdout).not.toBe(before?.stdout)
  })

  it.each<[files: Record<string, string>, docker: string, podman: string]>([
    [{ '.containerignore': 'b\n' }, 'a', 'b'],
    [{ '.containerignore': '' }, 'a', 'nothing'],
    [{ 'Dockerfile.dockerignore': 'b\n' }, 'b', 'b'],
    [{ 'Dockerfile.dockerignore': '' }, 'nothing', 'nothing'],
    [{ 'Dockerfile.dockerignore': 'b\n', '.containerignore': 'c\n' }, 'b', 'b'],
    [{ 'Dockerfile.containerignore': 'b\n', '.containerignore': 'c\n' }, 'a', 'b'],
    [{ 'Dockerfile.containerignore': 'c\n', 'Dockerfile.dockerignore': 'b\n' }, 'b', 'b'],
  ])('leaves out what docker does, and what podman and buildah do: %o', async (more, docker, podman) => {
    const folder = temporary()
    const all = { Dockerfile: 'FROM scratch\n', '.dockerignore': 'a\n', a: '', b: '', c: '', ...more }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
    const tags = async () => {
      const [tag = '', other = tag] = (await tagOf(folder))?.stdout.trim().split(' ') ?? []
      return [tag, other]
    }
    const before = await tags()
    expect(before[0] === before[1]).toBe(docker === podman)
    // What is left out may be another without a consequence.
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(folder, name), 'another')
      const after = await tags()
      expect([after[0] === before[0], after[1] === before[1]], name).toEqual([name === docker, name === podman])
      writeFileSync(join(folder, name), '')
    }
  })

  it('is another for build arguments, and counts a Dockerfile that is ignored or elsewhere', async () => {
    const folder = context()
    const tags = [await tagOf(folder), await tagOf(folder, { BASE: 'a' }), await tagOf(folder, { BASE: 'b' })]
    writeFileSync(join(folder, '.dockerignore'), 'Dockerfile\n')
    tags.push(await tagOf(folder))
    writeFileSync(join(folder, 'Dockerfile'), 'FROM other\n')
    tags.push(await tagOf(folder))
    expect(new Set(tags.map((output) => output?.stdout)).size).toBe(5)
  })

  it('says what is not there', async () => {
    const folder = context()
    expect(await tagOf(folder, {}, join(folder, 'none'))).toMatchObject({
      code: 2,
      stderr: `there is no ${folder}/none`,
    })
    expect(await tagOf(join(folder, 'src/a.js'), {}, join(folder, 'Dockerfile'))).toMatchObject({ code: 2 })
  })
})
