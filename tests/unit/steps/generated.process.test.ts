import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesOfDump, matching, nginxTree, parseNginx } from '@infra/shared/facts/host/nginx-config'
import { parseSettings, sshdLines } from '@infra/shared/facts/host/sshd'
import { configFiles } from '@infra/shared/facts/synapse/config'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { damages } from '../../support/damage.ts'
import { randomBy } from '../../support/shuffle.ts'
import { tempFolder } from '../../support/temp.ts'

// Made by chance, the same each time: what fails can be looked at again.
const chance = randomBy(20261130)
const below = (count: number) => Math.floor(chance() * count)
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const damaged = damages(chance)
const program = (path: string) => (existsSync(path) ? path : undefined)

/** What a reader makes of a text, which is a value or one plain sentence; anything else of an error is ours. */
function outcome<T>(read: () => T): { value: T } | { error: string } {
  try {
    return { value: read() }
  } catch (error) {
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
    const { message } = error as Error
    expect(message).toMatch(/^[^\n]{3,200}$/)
    expect(message).not.toContain('hunter2')
    return { error: message }
  }
}

describe("nginx's configuration", () => {
  const nginx = program('/usr/sbin/nginx')
  const pieces = [
    'a',
    'B',
    '.',
    '-',
    '*',
    '~',
    '^',
    '$',
    '$' + '{x}',
    '#',
    '|',
    '(',
    ')',
    '+',
    'é',
    '/',
    ',',
    '@',
    '\\.',
    '\\d',
  ]
  const inner = () => many(1 + below(6), () => oneOf(pieces)).join('')
  const space = () => oneOf([' ', '  ', '\t', '\n', ' # said {;}"\n', '\r\n'])

  /** A word in one of its shapes, with what nginx reads. */
  function word(): { text: string; value: string } {
    const plain = `w${inner()}`
    const escaped = oneOf(['"', "'", '\\'])
    return oneOf([
      { text: plain, value: plain },
      { text: `"${plain} ;{}#'"`, value: `${plain} ;{}#'` },
      { text: `'${plain} ;{}#"'`, value: `${plain} ;{}#"` },
      { text: `${plain}\\${escaped}x`, value: `${plain}${escaped}x` },
      { text: `"${plain}\\${escaped}x\\t"`, value: `${plain}${escaped}x\t` },
      { text: `w\\ \\;\\{${plain}`, value: `w\\ \\;\\{${plain}` },
    ])
  }
  type Shape = { readonly text: string; readonly value: unknown[] }
  const directive = (depth: number): Shape => {
    const words = many(1 + below(4), word)
    const head = words.map(({ text }) => text).join(space())
    const value = words.map((each) => each.value)
    if (depth === 0 || below(2) === 0) return { text: `${head}${oneOf(['', space()])};`, value: [...value, null] }
    const block = many(below(4), () => directive(depth - 1))
    const text = `${head}${space()}{${block.map((each) => space() + each.text).join('')}${space()}}`
    return { text, value: [...value, block.map((each) => each.value)] }
  }
  const shape = ({ name, args, block }: ReturnType<typeof parseNginx>[number]): unknown[] => [
    ...[name, ...args],
    block ? block.map(shape) : null,
  ]

  test('is read whole, in whatever shape it is written', () => {
    for (const list of many(1500, () => many(below(5), () => directive(3)))) {
      const text = list.map((each) => space() + each.text).join('')
      expect([text, parseNginx(text).map(shape)]).toEqual([text, list.map((each) => each.value)])
    }
  })

  test('damaged, is read or refused by its line, and nothing of it is told', () => {
    for (const list of many(3000, () => many(below(4), () => directive(2)))) {
      const text = damaged(`password hunter2;\n${list.map((each) => `${each.text}\n`).join('')}`, '"\'{};#\\ \n')
      const said = outcome(() => nginxTree(new Map([['/etc/nginx/nginx.conf', text]])))
      if ('error' in said) expect(said.error).toMatch(/^\/etc\/nginx\/nginx.conf is not understood: .* in line \d+$/)
    }
  })

  test('printed by nginx -T, gives back each file as it is, whatever stands in it', () => {
    for (let times = 0; times < 1000; times += 1) {
      const text = () =>
        many(below(6), () => oneOf(['# configuration file /etc/a0:', 'x;', 'é', '', '# y', '}\n'])).join('\n')
      const files = new Map(many(1 + below(4), (index) => [`/etc/a${index}`, text()] as const))
      const dump = [...files].map(([path, content]) => `# configuration file ${path}:\n${content}\n`).join('')
      const sizes = new Map([...files].map(([path, content]) => [path, Buffer.byteLength(content)]))
      expect(filesOfDump(Buffer.from(dump), sizes)).toEqual(files)
      const cut = Buffer.from(dump).subarray(0, below(dump.length))
      if (cut.length > 0) outcome(() => filesOfDump(cut, sizes))
    }
  })

  test('has the names that nginx itself finds, and is refused only where nginx refuses it', ({ skip }) => {
    if (nginx === undefined) return skip('nginx is not on this machine')
    const root = tempFolder()
    const run = (http: string) => {
      const path = join(root, 'nginx.conf')
      writeFileSync(
        path,
        `pid ${root}/pid; error_log ${root}/log; events {}\nhttp { access_log off;\n${temporary(root)}${http}\n}\n`,
      )
      const { status, stderr } = spawnSync(nginx, ['-t', '-c', path, '-p', root], { encoding: 'utf8' })
      return { isTaken: status === 0, text: readFileSync(path, 'utf8'), stderr }
    }
    const names = many(200, (index) => {
      const name = `n${index}.${oneOf(['a', 'b-c', 'xn--d'])}.org`
      const shapes = [
        name,
        `"${name}"`,
        `'${name}'`,
        name.toUpperCase(),
        `"n${index}.${name.split('.').slice(1).join('.')}"`,
      ]
      return { name, text: `${oneOf(['', `x${index}.org`])} ${oneOf(shapes)}${oneOf(['', ` y${index}.org`, space()])}` }
    })
    const servers = names
      .map(({ text }) => `server { listen 8080; server_name${space()}${text};${space()}}`)
      .join(space())
    const plain = names.map(({ name }) => `server { listen 8080; server_name ${name}; }`).join('\n')
    const { text, stderr } = run(`${servers}\n${plain}`)
    const conflicts = [...stderr.matchAll(/conflicting server name "(.*?)" on/g)].map(([, name]) => name)
    expect(conflicts).toEqual(names.map(({ name }) => name))
    const ours = nginxTree(new Map([['/etc/nginx/nginx.conf', text]])).servers.slice(0, names.length)
    ours.forEach((server, index) => {
      expect(server.names.map((name) => name.toLowerCase())).toContain(names[index]?.name)
    })
    for (let times = 0; times < 150; times += 1) {
      const http = damaged(
        `server { listen 8080; server_name "a.org" b.org; }\nmap $uri $m { default "x;y"; '~^/{' z; }`,
        '"\'{};#\\ \n',
      )
      const { isTaken, text } = run(http)
      const said = outcome(() => nginxTree(new Map([['/etc/nginx/nginx.conf', text]])))
      if (isTaken) expect([http, said]).toEqual([http, { value: expect.anything() }])
    }
  })
})

const temporary = (root: string) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${root}/${name};\n`).join('')

describe("sshd's files", () => {
  const sshd = program('/usr/sbin/sshd')
  const values: Readonly<Record<string, readonly string[]>> = {
    PermitRootLogin: ['yes', 'no', 'prohibit-password', 'forced-commands-only'],
    PasswordAuthentication: ['yes', 'no'],
    MaxAuthTries: ['1', '3', '9'],
    X11Forwarding: ['yes', 'no'],
    AllowUsers: ['root', 'root git', 'g?t*'],
  }
  const cased = (text: string) => oneOf([text, text.toLowerCase(), text.toUpperCase()])
  const setting = () => {
    const keyword = oneOf(Object.keys(values))
    const value = oneOf(values[keyword] ?? [])
    const said = value
      .split(' ')
      .map((one) => oneOf([one, one, `"${one}"`]))
      .join(oneOf([' ', '\t']))
    const between = oneOf([' ', '=', ' = ', '\t', '  '])
    return `${oneOf(['', ' ', '\t'])}${cased(keyword)}${between}${said}${oneOf(['', ' ', ' # said', '\r'])}`
  }
  const lines = () =>
    many(below(5), () => oneOf([setting, setting, setting, () => '# PermitRootLogin yes', () => ''])())

  test('mean for everybody what sshd itself says of them', ({ skip }) => {
    if (sshd === undefined) return skip('sshd is not on this machine')
    for (let times = 0; times < 120; times += 1) {
      const root = tempFolder()
      mkdirSync(join(root, 'd'))
      const match = oneOf(['', 'Match User nobody-else\n  PermitRootLogin no\n  X11Forwarding no\n'])
      writeFileSync(join(root, 'd/a.conf'), `${lines().join('\n')}\n${match}`)
      writeFileSync(join(root, 'd/b.conf'), `${lines().join('\n')}\n`)
      const include = oneOf([`Include ${root}/d/*.conf`, `include "${root}/d/b.conf" ${root}/d/a.conf`])
      writeFileSync(join(root, 'sshd_config'), `${[...lines(), include, ...lines()].join('\n')}\n`)
      const ask = sshdLines.command.line.replaceAll('/etc/ssh', root)
      const { stdout } = spawnSync('sh', ['-c', ask], { encoding: 'utf8' })
      const found = sshdLines.parse({ code: 0, stdout, stderr: '' }) ?? []
      const words = ['-T', '-f', join(root, 'sshd_config'), '-C', 'user=git,host=x,addr=192.0.2.1']
      const said = spawnSync(sshd, words, { encoding: 'utf8' })
      const { git = {} } = parseSettings({
        code: said.status ?? 1,
        stdout: `user git\n${said.stdout}`,
        stderr: said.stderr,
      })
      for (const keyword of Object.keys(values).map((name) => name.toLowerCase())) {
        const own = found.filter((line) => line.keyword === keyword && line.match === undefined)
        const ours =
          keyword === 'allowusers'
            ? own.flatMap(({ value }) => value.split(' '))
            : own.slice(0, 1).map(({ value }) => value)
        if (ours.length > 0)
          expect([readFileSync(join(root, 'sshd_config'), 'utf8'), git[keyword]]).toEqual([expect.anything(), ours])
      }
    }
  })

  test('damaged, are read to the end', () => {
    for (let times = 0; times < 3000; times += 1) {
      const text = many(1 + below(5), (index) => `/etc/ssh/sshd_config:${index + 1}:${setting()}`).join('\n')
      const stdout = damaged(`+/etc/ssh/sshd_config\n${text}\n-\n`, '"\'=:+-#\\ \n')
      outcome(() => sshdLines.parse({ code: 0, stdout, stderr: '' }))
      outcome(() => parseSettings({ code: 0, stdout: stdout.toLowerCase(), stderr: '' }))
    }
  })
})

test("Synapse's configuration says the same in every style of YAML", () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'conf.d'))
  const styles = [
    {},
    { collectionStyle: 'flow' },
    { defaultStringType: 'QUOTE_SINGLE', defaultKeyType: 'QUOTE_DOUBLE' },
    { indent: 5, lineWidth: 20 },
  ] as const
  const made = many(40, (index) => {
    const said = {
      server_name: oneOf(['pod.example.org', 'a-b.org', "it's", 'x: y', '#1']),
      database: {
        name: 'psycopg2',
        args: { host: oneOf(['db', '/run/x', 'db.internal']), password: 'hunter2', port: 5433 },
      },
      [oneOf(['turn_uris', 'a b', '0', '~', 'été'])]: oneOf([[], {}, ['hunter2'], 'hunter2: {', null]),
    }
    writeFileSync(join(folder, `conf.d/${String(index).padStart(3, '0')}.yaml`), stringify(said, oneOf(styles)))
    return said
  })
  const line = configFiles.command.line.replaceAll('/etc/matrix-synapse', folder)
  const { stdout, status } = spawnSync('sh', ['-c', line], { encoding: 'utf8' })
  expect(stdout).not.toContain('hunter2')
  const found = configFiles.parse({ code: status ?? 1, stdout, stderr: '' })
  expect(
    found.map(({ values, database, keys, unread }) => [values.server_name, database, keys.length, unread]),
  ).toEqual(
    made.map(({ server_name, database: { args } }) => [
      server_name,
      { name: 'psycopg2', host: args.host, port: '5433' },
      3,
      undefined,
    ]),
  )
})

test('a pattern of include means what the shell takes it for', () => {
  const root = tempFolder()
  const names = ['a', 'b.conf', '.c.conf', 'a[1]', 'ab', 'a-b.conf', '^x', 'z+']
  for (const name of names) writeFileSync(join(root, name), '')
  const pieces = ['a', 'b', '*', '?', '[ab]', '[!a]', '.conf', '-', '[a-c]', '^', '+', '.']
  const patterns = many(300, () => many(1 + below(4), () => oneOf(pieces)).join(''))
  const script = 'cd "$1" && while read -r p; do for f in $p; do [ ! -f "$f" ] || printf "%s " "$f"; done; echo; done'
  const { stdout } = spawnSync('sh', ['-c', script, 'sh', root], {
    encoding: 'utf8',
    input: `${patterns.join('\n')}\n`,
    env: { LC_ALL: 'C' },
  })
  const paths = names.map((name) => `/x/${name}`)
  const ours = patterns.map((pattern) =>
    matching(`/x/${pattern}`, paths)
      .map((path) => `${path.slice(3)} `)
      .join(''),
  )
  expect(ours.map((said, index) => [patterns[index], said])).toEqual(
    stdout
      .split('\n')
      .slice(0, -1)
      .map((said, index) => [patterns[index], said]),
  )
})
