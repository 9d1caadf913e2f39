import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { project } from '../../support/cli.ts'
import { type Entry, tarOf } from '../../support/tar.ts'
import { tempFolder } from '../../support/temp.ts'

const program = join(project, 'shared/src/archive/unpack.py')

// The system's own python, as a host has it.
const system = { PATH: '/usr/bin:/bin' }

let outside: string
let folder: string
function newFolder() {
  outside = tempFolder()
  folder = join(outside, 'a/b')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(outside, 'victim'), 'untouched')
}
beforeEach(newFolder)

function unpack(input: Buffer, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('python3', ['-I', program, ...args], { cwd: folder, input, env: system })
  return { code: status, said: stdout.toString(), wrong: stderr.toString().trim() }
}
const part = (entries: readonly Entry[]) => unpack(tarOf(entries), 'part', 'etc/x', 'etc/x', 'opt/v/config')

/** What is there beside the folder: it must stay as it was. */
const around = () => [
  readdirSync(outside).sort(),
  readdirSync(join(outside, 'a')),
  readFileSync(join(outside, 'victim'), 'utf8'),
]
const calm = [['a', 'victim'], ['b'], 'untouched']

describe('a part of an archive', () => {
  test.each<[string, readonly Entry[], RegExp]>([
    [
      'a link, then a file through it',
      [
        { name: 'opt/v/config/up', type: '2', link: '../../../../..' },
        { name: 'opt/v/config/up/victim', content: 'changed' },
        { name: 'opt/v/config/in', type: '2', link: 'up' },
        { name: 'opt/v/config/in/victim', content: 'changed' },
      ],
      /goes through a link/,
    ],
    [
      'a link that is a folder of the part',
      [
        { name: 'opt/v/config/d', type: '2', link: '.' },
        { name: 'opt/v/config/d/x', content: 'changed' },
      ],
      /goes through a link/,
    ],
    [
      'a name that leads up',
      [{ name: 'opt/v/config/../../../../../victim', content: 'changed' }],
      /leads out of its folder/,
    ],
    ['an absolute name', [{ name: '/opt/v/config/x', content: 'changed' }], /leads out of its folder/],
    ['a name of something else', [{ name: 'root/.ssh/authorized_keys', content: 'key' }], /which no backup does/],
    ['a folder beside', [{ name: 'opt/v/other', type: '5' }], /which no backup does/],
    [
      'a hard link that leads up',
      [{ name: 'opt/v/config/x', type: '1', link: '../../victim' }],
      /leads out of its folder/,
    ],
    ['a hard link with an absolute name', [{ name: 'opt/v/config/x', type: '1', link: '/etc/passwd' }], /leads out/],
    [
      'a hard link through a link',
      [
        { name: 'opt/v/config/d', type: '5' },
        { name: 'opt/v/config/d/l', type: '2', link: '..' },
        { name: 'opt/v/config/x', type: '1', link: 'opt/v/config/d/l/y' },
      ],
      /goes through a link/,
    ],
    ['a device of characters', [{ name: 'opt/v/config/x', type: '3' }], /holds a device/],
    ['a device of blocks', [{ name: 'opt/v/config/x', type: '4' }], /holds a device/],
    ['a file twice', [{ name: 'opt/v/config/x' }, { name: 'opt/v/config/./x' }], /twice/],
    [
      'a file below a file',
      [{ name: 'opt/v/config/x' }, { name: 'opt/v/config/x/y' }],
      /goes through a link or a file/,
    ],
  ])('with %s is refused, and nothing outside changes', (_, entries, wrong) => {
    const { code, wrong: said } = part(entries)
    expect(said).toMatch(wrong)
    expect(said).toMatch(/^archive: [^\n]*$/)
    expect(code).toBe(1)
    expect(around()).toEqual(calm)
  })

  test.each<[string, Entry]>([
    ['leads up', { name: 'opt/v/config/x', type: '2', link: '../../../../../victim' }],
    ['is absolute', { name: 'opt/v/config/x', type: '2', link: '/etc/shadow' }],
    ['leads to another unit', { name: 'opt/v/config/x', type: '2', link: '../../../etc/x/y' }],
    ['leads down and up, by another link', { name: 'opt/v/config/x', type: '2', link: 'd/../..' }],
    ['takes the place of the unit', { name: 'opt/v/config', type: '2', link: 'other' }],
    ['is a hard one to what is not there', { name: 'opt/v/config/x', type: '1', link: 'opt/v/config/none' }],
    ['is a hard one to another unit', { name: 'opt/v/config/x', type: '1', link: 'etc/x/y' }],
    ['is a pipe', { name: 'opt/v/config/x', type: '6' }],
  ])('an entry that %s is left out, and told', (_, entry) => {
    const { code, said } = part([{ name: 'etc/x/y', content: 'y' }, entry, { name: 'etc/x/z' }])
    expect(said).toContain(`{"left": "${entry.name}"}`)
    expect(code).toBe(0)
    expect(() => readlinkSync(join(folder, entry.name))).toThrow()
    expect(existsSync(join(folder, 'etc/x/z'))).toBe(true)
    expect(around()).toEqual(calm)
  })

  test('of a real tar: files, holes, links inside, modes and times; special bits are not made', () => {
    const from = join(outside, 'from')
    execFileSync('bash', [
      '-ec',
      `mkdir -p "$1"/etc/x "$1"/opt/v/config/d; cd "$1"; echo y >etc/x/y; chmod 640 etc/x/y; cd opt/v/config
echo a >d/a; ln d/a d/b; ln -s ../c d/l; ln -s d/a c; truncate -s 50M holes; echo end >>holes; touch -d @1700000000 d/a
cp /bin/true setuid; chmod 4755 setuid; chmod 550 d; chmod 000 .`,
      'bash',
      from,
    ])
    const packed = spawnSync('tar', ['-C', from, '-cSf', '-', 'etc', 'opt'], { maxBuffer: 1 << 26 })
    const { code, said, wrong } = unpack(packed.stdout, 'part', 'etc/x', 'etc/x', 'opt/v/config')
    expect(code, wrong).toBe(0)
    expect(said).toMatch(/\{"path": "etc\/x\/y", "user": "\w+", "group": "\w+"\}/)
    expect(said).not.toContain('opt/v')
    const mode = (path: string) => (statSync(join(folder, path)).mode & 0o7777).toString(8)
    expect(mode('opt/v/config')).toBe('0')
    execFileSync('chmod', ['-R', 'u+rwx', join(folder, 'opt'), from])
    expect([mode('etc/x/y'), mode('opt/v/config/setuid')]).toEqual(['640', '755'])
    expect(spawnSync('bash', ['-c', 'diff -r "$1" "$2" 2>&1', 'bash', from, folder]).stdout.toString()).toBe('')
    const at = (path: string) => statSync(join(folder, 'opt/v/config', path))
    expect(at('d/a')).toMatchObject({ ino: at('d/b').ino, mtimeMs: 1_700_000_000_000 })
    expect(at('holes').blocks).toBeLessThan(1000)
  })

  test('that is cut off is refused', () => {
    const whole = tarOf([{ name: 'opt/v/config/x', content: 'x'.repeat(10_000) }])
    expect(unpack(whole.subarray(0, 5000), 'part', 'etc/x', 'opt/v/config')).toMatchObject({
      code: 1,
      wrong: expect.stringMatching(/^archive: it is damaged/),
    })
  })
})

describe('the members of an archive', () => {
  const sumOf = (text: string) => createHash('sha256').update(text).digest('hex')
  const pieces = { 'database.000000': 'PGDMP', 'media.000000': 'm', 'manifest.json': '{}' }
  const list = (of: Readonly<Record<string, string>>) =>
    Object.entries(of)
      .map(([name, content]) => `${sumOf(content)}  ${name}\n`)
      .join('')
  const entriesOf = (of: Readonly<Record<string, string>>) =>
    Object.entries(of).map(([name, content]) => ({ name, content }))
  const members = (entries: readonly Entry[], sums = list(pieces)) =>
    unpack(Buffer.concat([...entries, { name: 'SHA256SUMS', content: sums }].map((entry) => tarOf([entry]))), 'members')

  test('are small archives in a row, and no more and no less than their list', () => {
    expect(members(entriesOf(pieces))).toMatchObject({ code: 0, wrong: '' })
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(pieces), 'SHA256SUMS'].sort())
    expect(readFileSync(join(folder, 'database.000000'), 'utf8')).toBe('PGDMP')
  })

  test.each<[string, readonly Entry[], string, RegExp]>([
    ['another content', entriesOf({ ...pieces, 'media.000000': 'n' }), list(pieces), /not what its list says/],
    ['one too many', entriesOf({ ...pieces, 'config.000000': '' }), list(pieces), /not what its list says/],
    ['one too few', entriesOf(pieces).slice(1), list(pieces), /not what its list says/],
    [
      'a list of files of the host',
      entriesOf(pieces),
      `${list(pieces)}${sumOf('x')}  /dev/zero\n`,
      /not what its list/,
    ],
    ['a list that is none', entriesOf(pieces), 'nonsense\n', /not what its list says/],
    ['a link', [{ name: 'config.000000', type: '2', link: '/etc/shadow' }], '', /no backup does/],
    ['another name', [{ name: '../victim', content: 'changed' }], '', /no backup does/],
    ['a name for a shell', [{ name: 'a b;c', content: '' }], '', /no backup does/],
    ['a pipe', [{ name: 'config.000000', type: '6' }], '', /no backup does/],
  ])('with %s are refused', (_, entries, sums, wrong) => {
    expect(members(entries, sums)).toMatchObject({ code: 1, wrong: expect.stringMatching(wrong) })
    expect(around()).toEqual(calm)
  })

  test('without a list, or cut off, are refused', () => {
    const bytes = Buffer.concat(entriesOf(pieces).map((entry) => tarOf([entry])))
    expect(unpack(bytes, 'members').wrong).toMatch(/ends before its list of contents/)
    newFolder()
    expect(unpack(bytes.subarray(0, 700), 'members').wrong).toMatch(/ends before its list|damaged/)
    newFolder()
    expect(unpack(Buffer.alloc(0), 'members').code).toBe(1)
  })
})
