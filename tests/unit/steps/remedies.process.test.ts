import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { askOf } from '@infra/shared/engine/ask'
import type { Decision, Questions, Step } from '@infra/shared/engine/step'
import { gitCheckout } from '@infra/shared/steps/host/git'
import { jsonFileEntries } from '@infra/shared/steps/host/json-entry'
import { line } from '@infra/shared/steps/host/line'
import { synapseIdentity } from '@infra/shared/steps/synapse/synapse'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { tempFolder } from '../../support/temp.ts'
import { file, place } from './synapse/config-file.ts'
import { told } from './told.ts'

const user = userInfo().username
const remedyOf = (decision: Decision): string => (decision.kind === 'refused' ? decision.remedy : '')
const decide = async <Q extends Questions>(step: Step<Q>) =>
  step.plan(await askOf(step.on, step.ask), { pending: [] } as never)
const sh = (script: string, cwd: string, env: Readonly<Record<string, string>> = {}) =>
  execFileSync('sh', ['-ec', script], { cwd, encoding: 'utf8', env: { ...process.env, ...env } })

// A question is asked as its user, which root alone can become.
describe.skipIf(process.getuid?.() !== 0)(
  'the command of a remedy, as it is printed, leads out and keeps what was there:',
  () => {
    test.each([
      ['a link', (path: string) => symlinkSync(`${path}.target`, path), (path: string) => `${path}.target`],
      ['a folder', (path: string) => mkdirSync(path), undefined],
      [
        'no text',
        (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00])),
        (path: string) => `${path}.old`,
      ],
    ])('a line in %s', async (_, make, kept) => {
      const folder = tempFolder()
      const path = join(folder, '.bashrc')
      writeFileSync(`${path}.target`, Buffer.from([0xff, 0xfe, 0x00]))
      make(path)
      const step = line(localTarget(folder), path, 'export A=1', { owner: user })
      const refused = await decide(step)
      expect(told(refused)).toEqual([expect.stringMatching(/it cannot be added to$/)])
      sh(remedyOf(refused).match(/: (mv .*)$/)?.[1] ?? 'false', folder)
      const made = await decide(step)
      expect(told(made)).toEqual([`+ ${path}`])
      for (const { run } of made.kind === 'changes' ? made.changes : []) await step.on.run(run, () => {})
      expect(told(await decide(step))).toEqual(['= there'])
      expect(readFileSync(path, 'utf8')).toBe('export A=1\n')
      if (kept) expect(readFileSync(kept(path))).toEqual(Buffer.from([0xff, 0xfe, 0x00]))
    })

    test.each([
      [
        'mended',
        (path: string) =>
          sh(`python3 -m json.tool '${path}' >/dev/null 2>&1 || printf '{"servers": {}, "own": 1}' >'${path}'`, '/'),
      ],
      ['moved away', (path: string) => sh(`mv '${path}' '${path}.old'`, '/')],
    ])('a JSON file that is %s', async (_, follow) => {
      const path = join(tempFolder(), 'settings.json')
      writeFileSync(path, '{"own": 1,')
      const options = { user, group: 'servers', entries: { a: { command: 'b' } } }
      const step = jsonFileEntries(localTarget(tempFolder()), path, options)
      expect(told(await decide(step))).toEqual([`! ${path} of ${user} is not a JSON object with servers in it`])
      follow(path)
      expect(told(await decide(step))).toEqual([`+ servers in ${path}: a`])
    })

    const edits: Record<string, string> = {
      'a file that was edited': 'echo more >>a',
      'one that was edited and added': 'echo more >>a; git add a',
      'a file that was removed': 'rm a',
      'one that was removed from the index': 'git rm -q a',
      'a file that was renamed': 'git mv a c',
      'a new one that was added': 'echo new >c; git add c',
      'a mode that was changed': 'chmod +x a',
    }
    const words = Object.entries(edits).flatMap(([what, edit]) => [
      [what, edit, 'stash'] as const,
      [what, edit, 'reset --hard'] as const,
    ])
    test.each(words)('%s (%s): git %s', async (_, edit, word) => {
      const [origin, path] = [join(tempFolder(), 'o'), join(tempFolder(), 'repo')]
      const env = { HOME: tempFolder(), GIT_CONFIG_NOSYSTEM: '1' }
      const me = '-c user.name=me -c user.email=me@example.org'
      sh(
        `git init -q '${origin}'; cd '${origin}'; echo one >a; git add a; git ${me} commit -qm one; git tag v1`,
        '/',
        env,
      )
      sh(`git clone -q '${origin}' '${path}'`, '/', env)
      const step = gitCheckout(localTarget(tempFolder()), path, { user, url: origin, ref: 'v1' } as never)
      expect(told(await decide(step))[0]).toMatch(/^= /)
      sh(edit, path, env)
      const refused = await decide(step)
      expect(told(refused)[0]).toMatch(/has local modifications/)
      const commands = [...remedyOf(refused).matchAll(/"(git [^"]+)"/g)].map(([, command = '']) => command)
      expect(commands).toContain(`git ${word}`)
      // Nobody told git who the user is.
      sh(`git ${word}`, path, env)
      expect(told(await decide(step))[0]).toMatch(/^= /)
      if (word === 'stash') expect(sh('git stash show --include-untracked --stat', path, env)).toMatch(/changed/)
    })
  },
)

describe("Synapse's media", () => {
  const identity = (media: string) => synapseIdentity(blank('a host'), 'pod.example.org', { ...place, media })
  const plan = (step: Step, now: object) => step.plan({ servers: [], ...now } as never, { pending: [] })
  /** Stands in for what needs root: says what it was given. */
  const stubs = (folder: string) => {
    for (const name of ['systemctl', 'mount'])
      writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} "$@" >>'${folder}/said'\n`, { mode: 0o755 })
    return { PATH: `${folder}:${process.env.PATH}` }
  }

  test.each([
    ['no folder yet', undefined, 0],
    ['an empty folder', [], 0],
    ['a folder with files, which stay', ['of others'], 1],
  ])('elsewhere are moved into their place: %s', (_, there, status) => {
    const folder = tempFolder()
    const [store, media] = [join(folder, "the store's"), join(folder, 'media')]
    mkdirSync(store)
    writeFileSync(join(store, 'picture'), 'of mine')
    if (there) mkdirSync(media)
    for (const name of there ?? []) writeFileSync(join(media, name), '')
    const dropIn = '/etc/matrix-synapse/conf.d/media.yaml'
    const step = identity(media)
    const files = [file({ media_store_path: media }), file({ media_store_path: `${store}/` }, dropIn)]
    const remedy = remedyOf(plan(step, { files }))
    expect(remedy).toContain(`Set media_store_path: ${media} in ${dropIn}, then`)
    const command = remedy.match(/: (systemctl .*)$/)?.[1] ?? 'false'
    expect(spawnSync('sh', ['-ec', command], { env: stubs(tempFolder()), cwd: '/' }).status).toBe(status)
    expect(readFileSync(join(status === 0 ? media : store, 'picture'), 'utf8')).toBe('of mine')
    const after = [file({ media_store_path: media }), file({ media_store_path: media }, dropIn)]
    expect(told(plan(step, { files: after }))).toEqual(['= no other server here'])
  })

  test('by a link are mounted in its place', () => {
    const folder = tempFolder()
    const [store, media, fstab] = [join(folder, 'store'), join(folder, 'media'), join(folder, 'fstab')]
    mkdirSync(store)
    writeFileSync(join(store, 'picture'), 'of mine')
    symlinkSync(store, media)
    const step = identity(media)
    const remedy = remedyOf(plan(step, { files: [], link: store }))
    const command = (remedy.match(/: (systemctl .*)$/)?.[1] ?? 'false').replace('/etc/fstab', fstab)
    const bin = tempFolder()
    sh(command, '/', stubs(bin))
    expect(readFileSync(join(bin, 'said'), 'utf8')).toBe(`systemctl stop matrix-synapse\nmount ${media}\n`)
    const mounts = sh(`findmnt --tab-file '${fstab}' --noheadings --output SOURCE,TARGET,OPTIONS`, '/')
    expect(mounts.trim().split(/\s+/)).toEqual([store, media, 'bind'])
    expect(readFileSync(join(store, 'picture'), 'utf8')).toBe('of mine')
    expect(sh(`ls -A '${media}'; [ ! -L '${media}' ]`, '/')).toBe('')
    expect(told(plan(step, { files: [] }))).toEqual(['= no other server here'])
  })
})
