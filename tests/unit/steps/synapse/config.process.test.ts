import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { plainText } from '@infra/shared/command/command'
import { type ChangedSetting, type ConfigFile, synapseConfig } from '@infra/shared/facts/synapse/config'
import { previousFolder } from '@infra/shared/steps/host/file'
import { synapseConfigAdopted, synapseDropInsApart } from '@infra/shared/steps/synapse/config'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const on = blank('a new host')
const none = { pending: [] }
const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }
const file = (path: string, keys: readonly string[], more: Partial<ConfigFile> = {}): ConfigFile => ({
  path,
  keys,
  empty: [],
  values: unset,
  by: 'other',
  ...more,
})

describe('synapseDropInsApart', () => {
  const { plan } = synapseDropInsApart(on, ['database', 'listeners'])
  const dropIn = (name: string, keys: string[]) => file(`/etc/matrix-synapse/conf.d/${name}.yaml`, keys)
  test.each<[string, ConfigFile[], string[]]>([
    ['none', [], ['= no setting is set twice']],
    ['homeserver.yaml itself', [file(synapseConfig, ['database'])], ['= no setting is set twice']],
    ['of other things', [dropIn('email', ['email'])], ['= no setting is set twice']],
    [
      'what the package writes',
      [dropIn('server_name', ['server_name']), dropIn('report_stats', ['database'])],
      ['= no setting is set twice'],
    ],
    [
      'the same',
      [dropIn('database', ['database'])],
      ['- /etc/matrix-synapse/conf.d/database.yaml, which sets database'],
    ],
    [
      'the same and more',
      [dropIn('mine', ['database', 'email'])],
      ['! /etc/matrix-synapse/conf.d/mine.yaml sets database over /etc/matrix-synapse/homeserver.yaml, and also email'],
    ],
  ])('%s', (_, files, desired) => {
    expect(told(plan({ files }, none))).toEqual(desired)
  })
})

describe('synapseConfigAdopted', () => {
  const kept = `${previousFolder}${synapseConfig}.before`
  const { plan } = synapseConfigAdopted(on, {
    said: ['database', 'listeners'],
    needless: ['pid_file', 'log_config'],
    content: plainText(''),
    decided: { listeners: 'ours', form_secret: 'it is FORM_SECRET', signing_key_path: 'the key is kept' },
  })
  const config = (keys: string[], more: Partial<ConfigFile> = {}) => ({
    files: [file(synapseConfig, keys, more)],
    now: { sha256: 'aa' },
    copy: null,
    changed: [],
  })
  test.each<[string, object, string[]]>([
    ['none', { files: [], now: null, copy: null }, ['= nobody else wrote it']],
    ['by the deployment', config(['turn_uris'], { by: 'deployment' }), ['= nobody else wrote it']],
    ['by the package', config(['log_config'], { by: 'package' }), ['= nobody else wrote it']],
    ['of what we say too', config(['database']), [`+ ${kept}, a copy of what somebody else wrote`]],
    [
      'of what may go',
      config(['database', 'pid_file', 'log_config']),
      [`+ ${kept}, a copy of what somebody else wrote; the new one does without pid_file, log_config`],
    ],
    [
      'of a name without a value',
      config(['email'], { empty: ['email'] }),
      [`+ ${kept}, a copy of what somebody else wrote`],
    ],
    ['kept already', { ...config(['database']), copy: { sha256: 'aa' } }, [`= kept in ${kept}`]],
    [
      'another one kept already',
      { ...config(['database']), copy: { sha256: 'bb' } },
      [`+ ${kept}, a copy of what somebody else wrote`],
    ],
    [
      'of what would be lost',
      config(['database', 'password_config', 'log_config', 'turn_uris']),
      [`! ${synapseConfig} is not by the deployment, and sets what would be lost: password_config, turn_uris`],
    ],
  ])('%s', (_, now, desired) => {
    expect(told(plan({ ...now }, none))).toEqual(desired)
  })

  test.each([null, { sha256: 'aa' }])(
    'each value that changes is named, of secrets the name alone; a copy: %j',
    (copy) => {
      const changed: ChangedSetting[] = [
        { name: 'max_upload_size', path: synapseConfig, before: '"200M"', after: '"50M"' },
        { name: 'form_secret', path: synapseConfig },
        { name: 'signing_key_path', path: synapseConfig, before: '"a"', after: '"b"' },
        { name: 'public_baseurl', path: synapseConfig, before: '"https://a/"', after: '"https://b/"' },
        { name: 'listeners', path: synapseConfig, before: '9000 on * (metrics)', after: '8008 on 127.0.0.1 (http)' },
      ]
      expect(plan({ ...config(['database']), copy, changed }, none)).toMatchObject({
        // What no file of the user's can set is no advice.
        notes: [
          `${synapseConfig}: form_secret (not shown): it is FORM_SECRET`,
          `${synapseConfig}: signing_key_path "a" → "b": the key is kept`,
          `${synapseConfig}: public_baseurl "https://a/" → "https://b/": clients are told another address; to keep one, set it in the file of SYNAPSE_EXTRA_CONFIG_FILE`,
          `${synapseConfig}: listeners 9000 on * (metrics) → 8008 on 127.0.0.1 (http): whoever asks Synapse there gets no answer; the deployment has one listener, behind nginx`,
          `what ${synapseConfig} says will have another value: max_upload_size "200M" → "50M"; to keep one, set it in the file of SYNAPSE_EXTRA_CONFIG_FILE`,
        ],
      })
    },
  )

  test('the copy is of root alone, and one that was there before stays', () => {
    const folder = tempFolder()
    const [here, previous] = [join(folder, 'homeserver.yaml'), join(folder, 'previous')]
    const decision = plan(config(['database']), none)
    const line = decision.kind === 'changes' ? (decision.changes[0]?.run[0]?.line ?? '') : ''
    const script = line
      .replaceAll(previousFolder, previous)
      .replaceAll(` ${synapseConfig} `, ` ${here} `)
      .replaceAll('root:', `${userInfo().username}:`)
    for (const text of ['first', 'second']) {
      writeFileSync(here, text, { mode: 0o644 })
      expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    }
    const copy = `${previous}${synapseConfig}.before`
    expect([readFileSync(copy, 'utf8'), readFileSync(`${copy}.~1~`, 'utf8')]).toEqual(['second', 'first'])
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect(statSync(previous).mode & 0o777).toBe(0o700)
  })
})
