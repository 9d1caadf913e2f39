import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateMissing } from '@infra/shared/env/generate'
import { importTfvars } from '@infra/shared/env/import'
import { loadEnv } from '@infra/shared/env/load'
import { parseTfvars } from '@infra/shared/env/tfvars'
import { variablesOf } from '@infra/shared/env/variable'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import { folder, sourced } from './place.ts'

describe('a terraform.tfvars', () => {
  const valuesOf = (text: string) =>
    Object.fromEntries(parseTfvars(text).values.map(({ name, value }) => [name, value]))

  test('is read as Terraform reads it', () => {
    const text = String.raw`# comment
region="ca-central-1" # here
a_string   = "with # no comment, \"quotes\", \\, \u00e9, ${'$$'}{not} %%{either}"  // there
number = 42
less = -1.5e3
yes = true /* a
region = "of a comment"
*/
nothing = null
empty = ""
glob = "https://x/*" # */
`
    expect(parseTfvars(text).problems).toEqual([])
    expect(valuesOf(text)).toEqual({
      region: 'ca-central-1',
      a_string: `with # no comment, "quotes", \\, é, $\{not} %{either}`,
      number: '42',
      less: '-1.5e3',
      yes: 'true',
      nothing: '',
      empty: '',
      glob: 'https://x/*',
    })
    expect(valuesOf(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual(valuesOf(text))
    expect(parseTfvars(text).values.find(({ name }) => name === 'nothing')?.line).toBe(9)
  })

  test.each([
    ['key = <<EOT\nhunter2\n', 1, /^key has no closing EOT/],
    ['\ntags = {\n  secret = "hunter2"\n', 2, /^tags has no closing \}/],
    ['list = ["hunter2"', 1, /^list has no closing \]/],
    ['key = "hunter2', 1, /^key has no closing quote/],
    ['key = hunter2', 1, /^key is neither a string/],
    ['key = "hunter2" "more"', 1, /^key has something behind/],
    [`key = "$\{var.hunter2}"`, 1, /^key holds an expression/],
    ['key = "\\hunter2"', 1, /^key has a backslash/],
    ['key =', 1, /^key has no value/],
    ["key = 'hunter2'", 1, /^key is neither/],
    ['hunter2', 1, /^is not name = value/],
    ['a = 1\n\na = "hunter2"', 3, /^a is already set in line 1/],
  ])('what cannot be read is told by its line, and not quoted: %j', (text, line, message) => {
    const { problems } = parseTfvars(text)
    expect(problems).toEqual([{ line, message: expect.stringMatching(message) }])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})

const stoatNames = (has: (one: ReturnType<typeof variablesOf>[number]) => boolean) =>
  variablesOf(stoatSchema)
    .filter(has)
    .map(({ name }) => name)

const original = `region              = "ca-central-1"
aws_access_key      = "AKIAIOSFODNN7EXAMPLE"
aws_secret_key      = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
discord_token       = "MTMz.$x.it-is-\\"quoted\\"-0123456789012345678901234567890123456789"
discord_bot_id      = "1331474398296727582"
discord_guild_id    = "1007381699346301038"
litellm_base_url    = "http://litellm.ai-platform.svc.cluster.local:4000"
litellm_api_key     = "sk-0123456789abcdef"
do_token            = "..."
do_cluster_name     = "discord-bot-cluster"
discord_tokn        = "x"
stoat_domain            = "stoat.example.org"
stoat_rabbitmq_pass     = "rabbitpass"
stoat_vapid_private_key = ""  # Generate
`

describe('taken over', () => {
  const schemas = [clusterSchema, stoatSchema]
  const take = (root: string, text = original, name?: string) =>
    importTfvars({ schemas, root, text, name, home: '/nowhere' })
  const read = (root: string, file: string) => readFileSync(join(root, file), 'utf8')

  test('each variable goes to the file of its workspace, and reads back the same everywhere', () => {
    const root = folder()
    const { written, notes, problems } = take(root)
    expect(problems).toEqual([])
    expect(written).toEqual([
      {
        file: '.env.cluster',
        names: expect.arrayContaining(['AWS_REGION', 'DISCORD_TOKEN', 'LITELLM_BASE_URL', 'DO_CLUSTER_NAME']),
        created: true,
      },
      { file: '.env.stoat', names: ['STOAT_DOMAIN', 'STOAT_RABBITMQ_PASS'], created: true },
    ])
    expect(notes).toEqual([
      "line 9: do_token still holds the example's placeholder and was left out",
      'line 11: discord_tokn is not a known variable; did you mean discord_token?',
      'line 14: stoat_vapid_private_key is empty and was left out',
      'left empty: STOAT_MINIO_PASS, STOAT_ENCRYPTION_KEY, STOAT_VAPID_PRIVATE_KEY, STOAT_VAPID_PUBLIC_KEY; npm run adopt -w stoat reads them from what is deployed, and the first deploy makes them where nothing is',
    ])
    for (const file of ['.env.cluster', '.env.stoat']) expect(statSync(join(root, file)).mode & 0o777).toBe(0o600)
    const token = 'MTMz.$x.it-is-"quoted"-0123456789012345678901234567890123456789'
    for (const shell of ['bash', 'dash'] as const)
      expect(sourced(shell, join(root, '.env.cluster'), 'DISCORD_TOKEN')).toBe(token)
    expect(read(root, '.env.cluster')).toContain(`export AWS_REGION="ca-central-1"`)
    expect(JSON.stringify([written, notes])).not.toMatch(/it-is|wJalr|0123456789abcdef/)
  })

  test('what is set stays, and a second time nothing is written', () => {
    const mine =
      '# mine\nexport AWS_REGION="eu-west-1"\nexport LITELLM_API_KEY="..."\nDISCORD_BOT_ID=1331474398296727582\n'
    const root = folder({ '.env.cluster': mine, '.env': 'DISCORD_GUILD_ID=1007381699346301000\n' })
    const { written, notes } = take(root)
    expect(written[0]).toMatchObject({ file: '.env.cluster', created: false })
    expect(written[0]?.names).not.toContain('AWS_REGION')
    expect(notes).toContain('line 1: region: AWS_REGION is set in .env.cluster already (another value, which stays)')
    expect(notes).toContain('line 5: discord_bot_id: DISCORD_BOT_ID is set in .env.cluster already (the same)')
    expect(notes).toContain(
      'line 6: discord_guild_id: DISCORD_GUILD_ID is set in .env already (another value, which stays)',
    )
    const now = read(root, '.env.cluster')
    expect(
      now.startsWith('# mine\nexport AWS_REGION="eu-west-1"\nexport LITELLM_API_KEY="sk-0123456789abcdef"\n'),
    ).toBe(true)
    expect(take(root).written).toEqual([])
    expect(read(root, '.env.cluster')).toBe(now)
  })

  test('with anything that cannot be read, nothing is written', () => {
    const root = folder()
    const { written, problems } = take(root, `${original}broken = <<X\n`)
    expect(written).toEqual([])
    expect(problems).toEqual([{ line: 15, message: 'broken has no closing X' }])
    const odd = `stoat_domain = "a'b$c"\nlitellm_api_key = "two\\nlines-of-it"\n`
    expect(take(root, odd).problems.map(({ line }) => line)).toEqual([1, 2])
    expect(() => read(root, '.env.cluster')).toThrow(/ENOENT/)
  })

  test('what the adoption reads stays empty: the environment is valid, and nothing is made for it', () => {
    const root = folder()
    take(root, 'stoat_domain = "stoat.example.org"\n')
    const options = { schema: stoatSchema, root, processEnv: {} }
    expect(loadEnv(options).problems).toBeUndefined()
    const before = read(root, '.env.stoat')
    const { written, adopted, problems } = generateMissing(options)
    const names = stoatNames(({ meta }) => meta.generate !== undefined)
    expect([written, adopted?.names, problems]).toEqual([[], names, []])
    expect(read(root, '.env.stoat')).toBe(before)
    const line = before.split('\n')[(adopted?.line ?? 0) - 1]
    expect(line).toMatch(/^# Taken over from Terraform: npm run adopt -w stoat reads/)
    writeFileSync(join(root, '.env.stoat'), before.replace(`${line}\n`, ''))
    expect(generateMissing(options).written).toEqual(names)
    expect(take(folder(), 'region = "ca-central-1"').notes).toEqual([])
  })

  test('no problem of a variable that the adoption reads proposes to make a new one', () => {
    const root = folder()
    for (const name of stoatNames(({ meta }) => meta.adoptedBy !== undefined))
      for (const value of ['$(openssl rand -base64 32)', 'change-me', 'short', '.'.repeat(40)]) {
        writeFileSync(join(root, '.env.stoat'), `STOAT_DOMAIN=stoat.example.org\n${name}="${value}"\n`, { mode: 0o600 })
        const { problems = [] } = loadEnv({ schema: stoatSchema, root, processEnv: {} })
        const [problem] = problems.filter(({ variable }) => variable === name)
        expect([name, value, problem?.remedy]).toEqual([name, value, expect.stringMatching(/^(empty|leave|unset)/)])
        expect(problem?.remedy).not.toContain('--generate')
      }
  })

  test('no variable is left out that is called by its own name, in small letters', () => {
    for (const schema of schemas)
      for (const { name } of variablesOf(schema)) {
        const text = `${name.toLowerCase()} = "x"\n`
        const { written, notes } = importTfvars({ schemas: [schema], root: folder(), text, home: '/nowhere' })
        expect([name, written[0]?.names, notes.join().includes('left out')]).toEqual([name, [name], false])
      }
  })

  test('two lines for one variable that disagree are a problem, those that agree none', () => {
    const line = 'region = "eu-west-1"\n'
    expect(take(folder(), `${line}aws_region = "eu-west-1"\n`).problems).toEqual([])
    expect(take(folder(), `${line}aws_region = "us-east-1"\n`).problems).toEqual([
      { line: 2, message: 'aws_region: AWS_REGION has another value in another line' },
    ])
  })

  test('--env NAME has files of its own', () => {
    expect(take(folder(), original, 'staging').written.map(({ file }) => file)).toEqual([
      '.env.cluster.staging',
      '.env.stoat.staging',
    ])
  })
})
