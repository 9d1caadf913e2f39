import { spawnSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plainText } from '@infra/shared/command/command'
import { sh } from '@infra/shared/command/sh'
import { fileContent } from '@infra/shared/facts/host/file'
import { diffOf, rootsAbove, writeFile } from '@infra/shared/steps/host/file'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const folder = tempFolder()
const at = (name: string) => join(folder, name)
const found = (path: string) => {
  const { command, parse } = fileContent(path)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command.line], { encoding: 'utf8' })
  return parse({ code: status ?? 1, stdout, stderr })
}

test('a file is found as it is', () => {
  writeFileSync(at('text'), 'größe\nno end', { mode: 0o640 })
  expect(found(at('text'))).toMatchObject({ type: 'file', mode: '0640', content: 'größe\nno end' })
  expect(found(at('nothing'))).toBeNull()
})

test('a link is not what it leads to', () => {
  writeFileSync(at('target'), 'text\n')
  symlinkSync('target', at('link'))
  expect(found(at('link'))).toMatchObject({ type: 'link', sha256: undefined, content: undefined })
})

test('what is not UTF-8 is known by its digest only: written back it would be another', () => {
  writeFileSync(at('latin'), Buffer.from('gr\xf6\xdfe\n', 'latin1'))
  expect(found(at('latin'))).toMatchObject({ type: 'file', content: undefined })
  expect(found(at('latin'))?.sha256).toHaveLength(64)
})

test("what belongs to a user is written with that user's rights", () => {
  const line = (owner: string) => writeFile('/srv/a', plainText('x'), { mode: '0600', owner, group: owner }).line
  expect(line('valence')).toMatch(/^\{.* cd \/ && runuser -u valence -- sh -c 't=\$\(mktemp/s)
  expect(line('valence')).not.toContain('chown')
  expect(line('root')).not.toContain('runuser')
})

test('a diff shows no secret that somebody had written into the old content', () => {
  const content = 'User=v\nEnvironment=MATRIX_PASSWORD=old\n'
  const diff = diffOf('/x', { content }, plainText('User=w\n'))
  expect(diff).toMatchObject({ before: 'User=v\nEnvironment=MATRIX_PASSWORD=[not shown]\n', after: 'User=w\n' })
})

test('what is checked first is as old as its place: whoever read that place meanwhile has read the old content', () => {
  const line = writeFile('/srv/a', plainText('x'), { mode: '0644', owner: 'root', group: 'root' }, () => sh`check`).line
  expect(line).toMatch(/check && touch "\$t" && .*mv -f/s)
})

test('root changes nothing by name below a folder that is not its own', () => {
  const judged = (uid: string) => {
    const { line } = rootsAbove('/opt/valence/venv')
    return spawnSync('sh', ['-c', `stat() { [ "$3" = /opt ] && echo ${uid} || echo 0; }; ${line}`], {
      encoding: 'utf8',
    })
  }
  expect(judged('0').status).toBe(0)
  expect(judged('1000')).toMatchObject({ status: 1, stderr: expect.stringContaining("/opt is not root's") })
})
