import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { parseSettings, sshdLines, sshdPorts, sshdSettings } from '@infra/shared/facts/host/sshd'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const folder = '/etc/ssh/sshd_config.d'
/** sshd itself, where it is on this machine. */
const sshdProgram = ['/usr/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path))

describe('what sshd says', () => {
  test('the lines of its files', () => {
    const stdout = readFileSync(join(import.meta.dirname, '../recorded/sshd-lines.txt'), 'utf8')
    const lines = sshdLines.parse({ code: 0, stdout, stderr: '' })
    expect(lines?.[0]).toMatchObject({ number: 12, keyword: 'include', value: `${folder}/*.conf`, match: undefined })
    expect(lines?.[5]).toEqual({
      ...{ path: `${folder}/60-git.conf`, from: `${folder}/60-git.conf`, number: 2, match: 'User git' },
      ...{ text: '  PasswordAuthentication=yes # no', keyword: 'passwordauthentication', value: 'yes' },
    })
    expect(lines?.[6]?.match).toBeUndefined()
    expect(sshdLines.parse(nothing)).toBeNull()
  })

  /** The lines of these files, and what sshd itself makes of them for two users. */
  function read(files: Readonly<Record<string, string>>) {
    const root = tempFolder()
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(name)), { recursive: true })
      writeFileSync(join(root, name), text.replaceAll('HERE', root))
    }
    const ask = sshdLines.command.line.replaceAll('/etc/ssh', root)
    const { stdout, stderr, status } = spawnSync('sh', ['-c', ask], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const lines = sshdLines.parse({ code: status ?? 1, stdout: stdout.replaceAll(root, '/etc/ssh'), stderr }) ?? []
    const words = ['-T', '-f', join(root, 'sshd_config'), '-C', 'user=git,host=x,addr=192.0.2.1']
    const said = sshdProgram ? spawnSync(sshdProgram, words, { encoding: 'utf8' }).stdout : ''
    return { lines, of: parseSettings({ code: 0, stdout: `user git\n${said}`, stderr: '' }).git }
  }

  test.each<[string, Readonly<Record<string, string>>]>([
    ['a Match block', { sshd_config: 'Match User git\n PermitRootLogin forced-commands-only\n' }],
    [
      'an Include, nested and relative',
      {
        sshd_config: 'Include HERE/more/*.conf\nPermitRootLogin yes\n',
        'more/x.conf': 'Include HERE/last\n',
        last: 'PermitRootLogin forced-commands-only\n',
      },
    ],
    [
      'an Include in a Match block',
      { sshd_config: 'Match User git\nInclude HERE/x.conf\n', 'x.conf': 'PermitRootLogin forced-commands-only\n' },
    ],
    ['capitals', { sshd_config: 'PERMITROOTLOGIN forced-commands-only\n' }],
    ['quotes', { sshd_config: 'PermitRootLogin "forced-commands-only"\n' }],
    ['quotes around the keyword', { sshd_config: '\t"PermitRootLogin" forced-commands-only\r\n' }],
    ['an equals sign', { sshd_config: 'PermitRootLogin=forced-commands-only # no\n' }],
    [
      'an equals sign and blanks',
      { sshd_config: ' PermitRootLogin = "forced-commands-only"   #no\nPermitRootLogin yes\n' },
    ],
  ])('a setting is found in whatever shape it is written: %s', (_, files) => {
    const { lines, of } = read(files)
    const found = lines.find(({ keyword }) => keyword === 'permitrootlogin')
    expect(found).toMatchObject({ value: 'forced-commands-only' })
    expect(found?.match).toBe(files.sshd_config?.startsWith('Match') ? 'User git' : undefined)
    if (sshdProgram) expect(of).toMatchObject({ permitrootlogin: ['forced-commands-only'] })
  })

  test('an Include that only a shell could follow is not passed over', () => {
    for (const words of ['"HERE/a b/*.conf"', '$(id)', '`id`.conf', 'x;y'])
      expect(() => read({ sshd_config: `Include ${words}\n` })).toThrow(
        /^an Include of sshd is not understood: \S+sshd_config:1$/,
      )
    expect(() => read({ sshd_config: 'Include sshd_config\n' })).toThrow(/^an Include of sshd is not understood/)
  })

  test('its settings for users', () => {
    const { parse } = sshdSettings(['root', 'valence'], ['PermitRootLogin', 'PasswordAuthentication'])
    const stdout = 'user root\npermitrootlogin without-password\nuser valence\npasswordauthentication no\n'
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
      root: { permitrootlogin: ['prohibit-password'] },
      valence: { passwordauthentication: ['no'] },
    })
    expect(parse(nothing)).toBeNull()
    const stderr = '/etc/ssh/sshd_config.d/x.conf: line 1: Bad configuration option: Nonsense'
    expect(() => parse({ code: 255, stdout: 'user root\n', stderr })).toThrow('Bad configuration option: Nonsense')
  })

  test('its ports', () => {
    expect(sshdPorts.parse({ code: 0, stdout: 'port 22\nport 2222\n', stderr: '' })).toEqual([22, 2222])
    expect(sshdPorts.parse(nothing)).toEqual([])
  })
})
