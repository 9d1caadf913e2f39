import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { raw } from '@infra/shared/command/sh'
import { ufwConfig, ufwStarts } from '@infra/shared/facts/host/ufw'
import { runLocal } from '@infra/shared/targets/process'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

// As ufw's own script at boot does, which reads the file as a shell.
const boot = 'for s in /etc/ufw/ufw.conf; do . "$s"; done; [ "$ENABLED" = "yes" ] || [ "$ENABLED" = "YES" ]'

describe('whether the firewall starts at boot', () => {
  test.each<[string, boolean]>([
    ['ENABLED=yes', true],
    ['ENABLED="yes"', true],
    ["ENABLED='yes'", true],
    ['ENABLED=YES', true],
    ['ENABLED=yes # by hand', true],
    ['ENABLED=yes  ', true],
    ['ENABLED=no\nLOGLEVEL=low\nENABLED=yes', true],
    ['# ENABLED=no\nENABLED=yes', true],
    ['ENABLED=no', false],
    ['ENABLED="no"', false],
    ['ENABLED=yes\nENABLED=no', false],
    ['#ENABLED=yes', false],
    ['ENABLED=Yes', false],
    ['ENABLED=yesterday', false],
    ['LOGLEVEL=low', false],
  ])('%j', async (text, starts) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'ufw.conf'), `# /etc/ufw/ufw.conf\n${text}\n`)
    const said = (line: string) => runLocal(line.replaceAll('/etc/ufw', folder), '')
    expect((await said(boot)).code === 0).toBe(starts)
    expect((await said(raw(`if ${ufwStarts.line}; then exit 0; else exit 1; fi`).line)).code === 0).toBe(starts)
    expect(ufwConfig.parse(await said(ufwConfig.command.line))).toMatchObject({ enabled: starts })
  })
})
