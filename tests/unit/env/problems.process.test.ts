import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { unreadable } from '@infra/shared/env/files'
import { loadEnv } from '@infra/shared/env/load'
import { describe, expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { loadPod, wrongs } from './load-pod.ts'
import { folder, podFile, sshKey } from './place.ts'

const wrong = (changes: Record<string, string | undefined>) => loadPod({ '.env.pod': podFile(changes) }).problems ?? []

describe('what to do about it', () => {
  const remedies = (problems: ReturnType<typeof wrong>) =>
    Object.fromEntries(problems.map(({ variable, remedy }) => [variable, remedy]))
  const ask = (files: Record<string, string>, processEnv: Record<string, string>) =>
    loadPod(files, { processEnv, purpose: 'plan' }).problems ?? []

  test('a job of CI has variables and secrets of its own: neither a file nor a secret that is made anew', () => {
    const problems = ask({}, { CI: 'true', VALENCE_DOMAIN: 'pod.example.org' })
    expect(remedies(problems)).toMatchObject({
      LETSENCRYPT_EMAIL: "set it in the job's variables or secrets",
      VALENCE_DB_PASSWORD: "set it in the job's variables or secrets",
    })
    expect(JSON.stringify(problems)).not.toMatch(/--generate|"\.env/)
  })

  test('a job that wrote a file is told of the file, and so is everybody else', () => {
    const file = { '.env.pod': podFile({ VALENCE_DB_PASSWORD: undefined }) }
    for (const processEnv of [{ CI: 'true' }, {}])
      expect(remedies(ask(file, processEnv as Record<string, string>))).toEqual({
        VALENCE_DB_PASSWORD: 'npm run validate -w pod -- --generate',
      })
  })

  test("the address that a plan does without: the placeholder's remedy says so", () => {
    expect(remedies(wrong({ VALENCE_POD_IP: 'your.droplet.ip' }))).toEqual({
      VALENCE_POD_IP: expect.stringMatching(/; leave it empty to plan a new host$/),
    })
  })
})

describe('what is wrong', () => {
  const somewhere = folder()
  const key = sshKey(somewhere, 'ed25519')

  test.each<[what: string, changes: Record<string, string | undefined>, variable: string, message: RegExp]>([
    ['a bad address', { VALENCE_POD_IP: 'pod.example.org' }, 'VALENCE_POD_IP', /is a name/],
    [
      'both keys',
      { VALENCE_SSH_PUBKEY_FILE: `${key}.pub` },
      'VALENCE_SSH_PUBKEY_FILE',
      /together with VALENCE_SSH_PUBKEY: choose one/,
    ],
    ['neither key', { VALENCE_SSH_PUBKEY: undefined }, 'VALENCE_SSH_PUBKEY_FILE', /nor is VALENCE_SSH_PUBKEY/],
    [
      'a key file that is not there',
      { VALENCE_SSH_PUBKEY: undefined, VALENCE_SSH_PUBKEY_FILE: '/no/k.pub' },
      'VALENCE_SSH_PUBKEY_FILE',
      /does not exist/,
    ],
    ['the example domain', { VALENCE_DOMAIN: 'your.domain.com' }, 'VALENCE_DOMAIN', /placeholder/],
    ['the example e-mail', { LETSENCRYPT_EMAIL: 'your@email.com' }, 'LETSENCRYPT_EMAIL', /placeholder/],
    ['the example address', { VALENCE_POD_IP: 'your.droplet.ip' }, 'VALENCE_POD_IP', /placeholder/],
    ['the example API key', { OPENAI_API_KEY: 'sk-...' }, 'OPENAI_API_KEY', /placeholder/],
    ['the optional example API key', { ANTHROPIC_API_KEY: 'sk-ant-...' }, 'ANTHROPIC_API_KEY', /placeholder/],
    [
      'the example ssh key',
      { VALENCE_SSH_PUBKEY: 'ssh-ed25519 AAAA... user@host' },
      'VALENCE_SSH_PUBKEY',
      /placeholder/,
    ],
    ['a usual placeholder', { VALENCE_DB_PASSWORD: 'change-me' }, 'VALENCE_DB_PASSWORD', /placeholder/],
    ['a weak password', { VALENCE_DB_PASSWORD: 'password123456' }, 'VALENCE_DB_PASSWORD', /too simple/],
    [
      'an Anthropic key for OpenAI',
      { OPENAI_API_KEY: 'sk-ant-api03-Gf3kQz9LwX2mTr7Vn' },
      'OPENAI_API_KEY',
      /Anthropic/,
    ],
    [
      'a random command',
      { SYNAPSE_FORM_SECRET: '$(openssl rand -base64 32)' },
      'SYNAPSE_FORM_SECRET',
      /is a command: what is deployed/,
    ],
    [
      'another command',
      { VALENCE_DB_PASSWORD: '$(pass show db)' },
      'VALENCE_DB_PASSWORD',
      /command substitution.*not run/,
    ],
    ['a backquote', { VALENCE_DOMAIN: '`hostname -f`' }, 'VALENCE_DOMAIN', /command substitution/],
    ['another variable', { LETSENCRYPT_EMAIL: 'ops@$VALENCE_DOMAIN' }, 'LETSENCRYPT_EMAIL', /another variable/],
    ['a $ in a password', { VALENCE_DB_PASSWORD: 'Gf3kQz9L$wX2mTr' }, 'VALENCE_DB_PASSWORD', /another variable/],
    ['a backslash in a password', { VALENCE_DB_PASSWORD: 'Gf3kQz9L\\\\wX2mTr' }, 'VALENCE_DB_PASSWORD', /two ways/],
    [
      'token and deploy key',
      { VALENCE_REPO_TOKEN: 'github_pat_11AAA', VALENCE_REPO_DEPLOY_KEY_FILE: key },
      'VALENCE_REPO_TOKEN',
      /choose one/,
    ],
    [
      'a token for ssh',
      { VALENCE_REPO_TOKEN: 'github_pat_11AAA', VALENCE_REPO_URL: 'git@github.com:a/b.git' },
      'VALENCE_REPO_TOKEN',
      /https/,
    ],
    [
      'a token over http',
      { VALENCE_REPO_TOKEN: 'github_pat_11AAA', VALENCE_REPO_URL: 'http://github.com/a/b.git' },
      'VALENCE_REPO_TOKEN',
      /unencrypted/,
    ],
    ['a deploy key for https', { VALENCE_REPO_DEPLOY_KEY_FILE: key }, 'VALENCE_REPO_DEPLOY_KEY_FILE', /ssh address/],
    [
      'PostgreSQL with its minor version',
      { VALENCE_POSTGRES_VERSION: '16.4' },
      'VALENCE_POSTGRES_VERSION',
      /major version/,
    ],
  ])('%s', (_, changes, variable, message) => {
    const problems = wrong(changes)
    expect(problems.map((one) => one.variable)).toContain(variable)
    expect(problems.find((one) => one.variable === variable)?.message).toMatch(message)
    for (const value of Object.values(changes))
      if (value && !value.endsWith('...') && !/^(VALENCE_(POD|DOMAIN|SSH|REPO_(URL|DEPLOY))|LETS)/.test(variable))
        expect(JSON.stringify(problems)).not.toContain(value)
  })

  test('a value that a .env parser takes for a comment, and a shell does not', () => {
    const file = `${podFile({ VALENCE_DB_PASSWORD: undefined })}VALENCE_DB_PASSWORD=#Gf3kQz9LwX2mTr\n`
    expect(wrongs(loadPod({ '.env.pod': file }))).toEqual([
      expect.stringMatching(/^VALENCE_DB_PASSWORD can be read in two ways/),
    ])
  })

  test('the same as a table of right ones: nothing is refused too much', () => {
    expect(wrong({ VALENCE_REPO_TOKEN: 'github_pat_11AAA' })).toEqual([])
    expect(wrong({ VALENCE_REPO_DEPLOY_KEY_FILE: key, VALENCE_REPO_URL: 'git@github.com:a/b.git' })).toEqual([])
    expect(wrong({ VALENCE_DOMAIN: 'yourcompany.com', LETSENCRYPT_EMAIL: 'me@yours.org' })).toEqual([])
    expect(wrong({ VALENCE_POD_IP: '2001:db8::7' })).toEqual([])
  })

  test('a random command is told even where the process hides it, and how to mend that', () => {
    const file = podFile({ VALENCE_DB_PASSWORD: '$(openssl rand -base64 32)' })
    const { problems = [] } = loadPod(
      { '.env.pod': file },
      { processEnv: { VALENCE_DB_PASSWORD: 'Gf3kQz9LwX2mTr7Vn' } },
    )
    expect(problems).toMatchObject([
      {
        variable: 'VALENCE_DB_PASSWORD',
        file: '.env.pod',
        remedy: expect.stringContaining('unset VALENCE_DB_PASSWORD'),
      },
    ])
    const stable = podFile({ VALENCE_DB_PASSWORD: '$(pass show db)' })
    expect(
      loadPod({ '.env.pod': stable }, { processEnv: { VALENCE_DB_PASSWORD: 'Gf3kQz9LwX2mTr7Vn' } }).problems,
    ).toBeUndefined()
  })

  test('a file that cannot be read', () => {
    const root = folder()
    mkdirSync(join(root, '.env.pod'))
    const { problems = [] } = loadEnv({ schema: podSchema, root, processEnv: {} })
    // And nothing else: what it holds is not missing.
    expect(problems).toEqual([
      {
        variable: '.env.pod',
        message: 'cannot be read (EISDIR)',
        remedy: expect.stringContaining('folder'),
        file: '.env.pod',
      },
    ])
  })
})

describe('a line that cannot be read and may set a variable', () => {
  test.each<[what: string, text: string, variable: string, message: RegExp]>([
    [
      'an open quote',
      'VALENCE_TIMEZONE="Europe/Zurich\n',
      'VALENCE_TIMEZONE',
      /^is named in line 12, which cannot be read: a quote is not closed, or text follows it/,
    ],
    ['no assignment', 'VALENCE_SSH_PORT: 2222\n', 'VALENCE_SSH_PORT', /^is named in line 12.*not NAME=value/],
    ['a former value too', 'VALENCE_DOMAIN="b.example.org\n', 'VALENCE_DOMAIN', /^is named in line 12/],
    ['one within another', `A=\${VALENCE_SSH_PORT:=2222}\n`, 'VALENCE_SSH_PORT', /^is named in line 12/],
    ['another file', '. ./more.sh\n', '.env.pod', /another file \(line 12\)/],
  ])('%s is an error', (_what, text, variable, message) => {
    const { problems, warnings } = loadPod({ '.env.pod': podFile() + text })
    expect(problems).toMatchObject([{ variable, message: expect.stringMatching(message), file: '.env.pod' }])
    expect(warnings.filter((one) => one.message.includes('is ignored'))).toEqual([])
  })

  test('is none where the process sets it, and where it sets nothing', () => {
    const open = { '.env.pod': `${podFile()}VALENCE_TIMEZONE="Europe/Zurich\n` }
    expect(loadPod(open, { processEnv: { VALENCE_TIMEZONE: 'UTC' } }).problems).toBeUndefined()
    expect(loadPod({ '.env.pod': `${podFile()}export VALENCE_TIMEZONE\n` }).problems).toBeUndefined()
  })
})

test.each([
  ['EACCES', true, /chmod u\+r \.env\.pod$/],
  ['EACCES', false, /sudo chown "\$\(id -un\)" \.env\.pod$/],
  ['EISDIR', true, /folder/],
  ['line 3 is not UTF-8', true, /^Save it as UTF-8/],
])('a file that cannot be read (%s, own: %s) is told with what helps', (code, isOwn, remedy) => {
  expect(unreadable(code, '.env.pod', isOwn)).toMatch(remedy)
})

describe('warnings', () => {
  const told = (text: string, processEnv: Record<string, string> = {}) =>
    loadPod({ '.env.pod': podFile() + text }, { processEnv }).warnings.map((one) =>
      [one.variable, one.message, one.remedy].filter(Boolean).join(' '),
    )

  test.each<[what: string, text: string, warning: RegExp]>([
    ['a broken line', 'what is this\n', /^line 12 is ignored: not NAME=value$/],
    ['an open quote', 'X="open\n', /^line 12 is ignored: a quote/],
    [
      'a duplicate',
      'VALENCE_DOMAIN="b.example.org"\n',
      /^VALENCE_DOMAIN is set 2 times \(lines 2, 12\); the last one wins$/,
    ],
    [
      'a typing error',
      'VALENCE_SSH_PRT=22\n',
      /^VALENCE_SSH_PRT is not a known variable did you mean VALENCE_SSH_PORT\?$/,
    ],
    ['blanks around =', 'VALENCE_SSH_PORT = 22\n', /^line 12 has spaces/],
    [
      'no quotes around blanks',
      'VALENCE_TIMEZONE=Europe/Zurich for us\n',
      /^VALENCE_TIMEZONE has spaces but no quotes/,
    ],
    ['Windows line ends', 'VALENCE_SSH_PORT=22\r\n', /Windows line ends.*dos2unix/],
  ])('%s', (_, text, warning) => {
    expect(told(text)).toEqual([expect.stringMatching(warning)])
  })

  test('no quotes around blanks is not a problem: the value is what dotenv reads', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA me at home'
    const loaded = loadPod({ '.env.pod': `${podFile({ VALENCE_SSH_PUBKEY: undefined })}VALENCE_SSH_PUBKEY=${key}\n` })
    expect([wrongs(loaded), loaded.env?.VALENCE_SSH_PUBKEY?.line]).toEqual([[], key])
    expect(loaded.warnings).toHaveLength(1)
  })

  test('none for strangers that are unlike all known names', () => {
    expect(
      told('AWS_REGION=x\nSTOAT_DOMAIN=y\nEDITOR=vi\n', { PATH: '/bin', LC_ALL: 'C', VALENCE_DOMAIN: 'a.example.org' }),
    ).toEqual([])
    expect(told('', { VALENCE_DOMIAN: 'x' })).toEqual([
      'VALENCE_DOMIAN is not a known variable did you mean VALENCE_DOMAIN?',
    ])
  })

  test.each([
    [0o600, 0],
    [0o640, 1],
    [0o604, 1],
  ])('mode %o', (mode, count) => {
    const root = folder({ '.env.pod': podFile() })
    chmodSync(join(root, '.env.pod'), mode)
    const { warnings } = loadEnv({ schema: podSchema, root, processEnv: {} })
    expect(warnings.filter((one) => one.remedy === 'chmod 600 .env.pod')).toHaveLength(count)
  })

  // A group of many, and one of the owner alone, as Debian gives each user: only root can give a file to another group.
  const asRoot = test.runIf(process.getuid?.() === 0)
  asRoot.each([
    ['everybody', 0o602, undefined],
    ['everybody, in a file without secrets', 0o666, undefined],
    ['its group', 0o660, 1],
  ])('a file that %s can write is refused: the next deploy would be theirs', (who, mode, group) => {
    const root = folder({ '.env.pod': podFile(), '.env': 'VALENCE_DOMAIN=a.example.org\n' })
    const name = who.includes('without') ? '.env' : '.env.pod'
    chmodSync(join(root, name), mode)
    if (group !== undefined) chownSync(join(root, name), 0, group)
    const { problems } = loadEnv({ schema: podSchema, root, processEnv: {} })
    expect(problems?.find(({ variable }) => variable === name)).toMatchObject({
      message: expect.stringContaining(`can be written by ${who.split(',')[0]}`),
      remedy: expect.stringContaining(`chmod 600 ${name}`),
    })
  })

  asRoot('one whose group is its owner alone is not', () => {
    const root = folder({ '.env.pod': podFile() })
    chmodSync(join(root, '.env.pod'), 0o660)
    chownSync(join(root, '.env.pod'), 0, 0)
    expect(loadEnv({ schema: podSchema, root, processEnv: {} }).problems).toBeUndefined()
  })

  test('a file without secrets may be read by others', () => {
    const root = folder({ '.env': 'VALENCE_DOMAIN=a.example.org\n' })
    chmodSync(join(root, '.env'), 0o644)
    expect(loadEnv({ schema: podSchema, root, processEnv: {} }).warnings).toEqual([])
  })
})
