import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { synapseVersion } from '../../../pod/env/synapse.ts'
import { lockContents, lockedNames, lockFiles, sourceNames, synapseLock } from '../../../pod/synapse/lock.ts'

const contents = Object.values(lockFiles).map((file) => readFileSync(file, 'utf8'))

// To write them anew: npm run lock
describe('the locks of Synapse', () => {
  test('are those of the version that is installed unless another one is set', () => {
    for (const content of contents) expect(content.split('\n')[0]).toContain(` ${synapseVersion}.`)
    expect(contents.join('')).toContain(`\nmatrix-synapse==${synapseVersion} \\\n`)
  })

  test('hold a version and hashes of everything, and nothing else that pip would follow', () => {
    for (const content of contents)
      expect(content.replace(/^# .*\n/, '')).toMatch(
        /^([a-z0-9-]+==[A-Za-z0-9.]+( \\\n {4}--hash=sha256:[0-9a-f]{64})+\n)+$/,
      )
  })

  test('name what is built apart, and what builds it', () => {
    const [wheels = '', sources = ''] = contents
    expect(lockedNames(sources)).toEqual(sourceNames)
    expect(lockedNames(wheels)).toContain('setuptools')
    expect(lockedNames(wheels)).not.toEqual(expect.arrayContaining([...sourceNames]))
  })

  test('lie on the host where the step looks for them', () => {
    const { wheels, sources } = synapseLock()
    expect(Object.keys(lockContents())).toEqual([wheels, sources])
  })
})
