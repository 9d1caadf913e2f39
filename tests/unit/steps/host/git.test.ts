import { type Command, nothing, revealText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import type { Decision } from '@infra/shared/engine/step'
import { explainGit, type GitState, gitState } from '@infra/shared/facts/host/git'
import { gitCheckout } from '@infra/shared/steps/host/git'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const url = 'https://git.example.com/valence.git'
const desired = { user: 'valence', url, ref: 'v1.0.1' }
const path = '/opt/valence/repo'
const on = blank('a new host')
const [one, two] = ['72f849052d7cda383b0eb28fa7a007a057b177ba', 'e4d5235b4f312eec4aa107cb429965ebccc9d614']
const good: GitState = {
  kind: 'clone',
  head: one,
  url,
  desired: one,
  stranger: undefined,
  interrupted: false,
  modified: [],
}

describe('what is at the path', () => {
  const state = gitState(path, desired)
  const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })

  test('a clone', () => {
    const stdout = `kind clone\nhead ${one}\nurl ${url}\nstranger \ndesired ${one}\n`
    expect(state.parse(answer(stdout))).toEqual(good)
  })
  test('one that was worked on', () => {
    const stdout = `kind clone\nhead ${one}\nurl ${url}\nstranger ./.git/HEAD\ninterrupted yes\nmodified a b.py\nmodified c.py\ndesired \n`
    expect(state.parse(answer(stdout))).toEqual({
      ...good,
      desired: undefined,
      stranger: './.git/HEAD',
      interrupted: true,
      modified: ['a b.py', 'c.py'],
    })
  })
  test('nothing yet', () => {
    expect(state.parse(nothing).kind).toBe('absent')
    expect(state.parse(answer('kind absent\n')).kind).toBe('absent')
    expect(state.parse(answer('', 1, 'runuser: user valence does not exist or the user entry …')).kind).toBe('absent')
  })
  test('not a clone', () => {
    expect(state.parse(answer('kind foreign\n')).kind).toBe('foreign')
    expect(state.parse(answer('kind broken\n', 0, 'fatal: not a git repository: .git')).kind).toBe('broken')
  })
  test('a branch whose server does not answer is unknown; one whose key is not known yet is fetched', () => {
    const stdout = `kind clone\nhead ${one}\nurl ${url}\nstranger \n`
    expect(() => state.parse(answer(stdout, 7, "fatal: unable to access 'x': Could not resolve host: x"))).toThrow(
      'cannot ask the server for branch v1.0.1: the git server cannot be reached',
    )
    expect(state.parse(answer(stdout, 7, 'Host key verification failed.')).desired).toBeUndefined()
  })
})

describe('checkout', () => {
  const step = gitCheckout(on, path, { ...desired, mark: 'src/valence' })
  const plan = (now: Partial<GitState>, marked: object | null = null) =>
    step.plan({ now: { ...good, ...now }, marked }, { pending: [] })
  test.each([
    [{ kind: 'absent' as const }, [`+ ${path} at v1.0.1`]],
    [{}, ['= v1.0.1, 72f8490']],
    [{ head: two }, [`~ ${path} e4d5235 → v1.0.1`]],
    [{ desired: undefined }, [`~ ${path} 72f8490 → v1.0.1`]],
    [{ url: 'https://old.example.com/x.git' }, [`~ ${path} from https://old.example.com/x.git → ${url}`]],
    [{ stranger: './a' }, [`~ all of ${path} belongs to valence (./a does not)`]],
    [{ modified: ['a', 'b'] }, [`! ${path} has local modifications: a, b`]],
    [{ modified: [...'abcdefg'] }, [`! ${path} has local modifications: a, b, c, d, e and 2 more`]],
    [
      { interrupted: true, modified: ['a'], head: two },
      [`~ ${path}: an interrupted checkout put aside`, `~ ${path} e4d5235 → v1.0.1`],
    ],
    [{ kind: 'foreign' as const }, [`! ${path} is not a git repository`]],
    [{ kind: 'broken' as const }, [`! ${path} is a git repository without a commit`]],
  ])('%o', (now, changes) => {
    expect(told(plan(now))).toEqual(changes)
  })

  test('a copy without git gives way to a clone and is kept; without its mark it may be anything', () => {
    const mark = { type: 'directory' }
    const kept = `/var/lib/infra/previous${path}`
    expect(told(plan({ kind: 'foreign' }, mark))).toEqual([
      `~ ${path} at v1.0.1, in place of a copy without git, which is kept in ${kept}`,
    ])
    expect(told(plan({}, mark))).toEqual(['= v1.0.1, 72f8490'])
    const unmarked = gitCheckout(on, path, desired).plan(
      { now: { ...good, kind: 'foreign' }, marked: mark },
      { pending: [] },
    )
    expect(told(unmarked)).toEqual([`! ${path} is not a git repository`])
  })

  const runs = (decision: Decision): readonly Command[] =>
    decision.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : []
  const first = (decision: Decision) => runs(decision).find(({ stdin }) => stdin)
  const open = (command: Command | undefined) => revealText(command?.stdin ?? { parts: [] })

  test.each([
    [{ token: secret('ghp_0123456789abcdef'), account: 'fetcher' }, 'ghp_0123456789abcdef'],
    [{ deployKey: secret('-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n'), account: 'fetcher' }, 'BEGIN OPENSSH'],
  ])('a secret is on no command line, and in no program of the account that owns the checkout', (access, value) => {
    const checkout = gitCheckout(on, path, { ...desired, access })
    for (const now of [{ kind: 'absent' as const }, { head: two }, { url: 'https://old.example.com/x.git' }]) {
      const made = runs(checkout.plan({ now: { ...good, ...now }, marked: null }, { pending: [] }))
      expect(made.map(({ line }) => line).join('\n')).not.toContain(value)
      const holding = made.filter((command) => open(command).includes(value))
      expect(holding.map(({ line }) => line.split(' -- ')[0])).toEqual(['runuser -u fetcher'])
    }
  })

  test('a question gives the secret to the account that fetches alone, and only where the server is asked', () => {
    const access = { token: secret('ghp_0123456789abcdef'), account: 'fetcher' }
    const { line, stdin } = gitState(path, { ...desired, access }).command
    expect(line).toBe(`sh -s -- ${path} ${url} v1.0.1`)
    const [owner = '', asked = ''] = revealText(stdin ?? { parts: [] }).split('\nask\n')
    expect(owner).toMatch(/\| timeout -k 2 15 runuser -u valence -- sh -s -- "\$@"/)
    expect(owner).not.toContain('ghp_')
    expect(asked).toMatch(/ghp_0123456789abcdef[\s\S]*\| timeout -k 2 15 runuser -u fetcher -- sh -s -- "\$@"/)
  })

  test('a question believes no ssh server that it meets for the first time', () => {
    expect(open(gitState(path, desired).command)).toContain('StrictHostKeyChecking=yes')
    expect(open(first(plan({ kind: 'absent' })))).toContain('StrictHostKeyChecking=accept-new')
  })
})

// Recorded from git 2.47 and OpenSSH 10.0.
test.each([
  [`fatal: Authentication failed for '${url}/'`, /let us in/],
  ["fatal: could not read Username for 'https://git.example.com': terminal prompts disabled", /let us in/],
  ['root@lab.internal: Permission denied (publickey).\nfatal: Could not read from remote repository.', /let us in/],
  [`remote: not found\nfatal: repository '${url}/' not found`, /no repository at/],
  ["fatal: unable to access 'x': Could not resolve host: nowhere.invalid", /cannot be reached/],
  [
    "fatal: unable to access 'x': Failed to connect to lab.internal port 1 after 0 ms: Could not connect",
    /cannot be reached/,
  ],
  ['ssh: connect to host 10.0.0.1 port 22: Connection timed out', /cannot be reached/],
  ['Host key verification failed.\nfatal: Could not read from remote repository.', /another than before/],
  ['Enter passphrase for (stdin): ', /passphrase/],
  ['fatal: something new', /^something new$/],
])('git says: %s', (stderr, words) => {
  expect(explainGit({ code: 7, stderr }, url)).toMatch(words)
})
