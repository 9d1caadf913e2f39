import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderExample, renderTable, replaceTables } from '@infra/shared/env/docs'
import { parseEnvText } from '@infra/shared/env/env-text'
import { loadEnv } from '@infra/shared/env/load'
import { presence } from '@infra/shared/env/variable'
import { describe, expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { pages } from '../project/pages.ts'
import { documents } from './documents.ts'
import { folder } from './place.ts'
import { schemas, tables } from './tables.ts'

const root = join(import.meta.dirname, '../../..')

test.each(documents)('$file is what the schemas say', ({ file, render }) => {
  const now = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
  expect(now, 'rewrite it: npm run docs').toBe(render(now))
})

test('each table stands in one page, and no page asks for another', () => {
  const marks = pages.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^<!-- ([\w:-]+) -->$/gm)].map(([, mark]) => mark),
  )
  expect(marks.sort()).toEqual(Object.keys(tables).sort())
})

test.each(pages)('a shell can read the commands of %s', (page) => {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^( *)```(?:bash|sh)\n([\s\S]*?)^ *```/gm)
  const script = [...blocks].map(([, , block]) => block).join('\n')
  if (script !== '') execFileSync('bash', ['-n'], { input: script })
})

describe('the example', () => {
  const example = renderExample(schemas)

  test('names every variable once, in its section', () => {
    const names = example.split('\n').flatMap((line) => /^(?:# )?export (\w+)=/.exec(line)?.[1] ?? [])
    expect(names).toEqual(schemas.flatMap((schema) => Object.keys(schema.variables)))
  })

  test("keeps the original's words", () => {
    for (const line of [
      'export VALENCE_POD_IP="your.droplet.ip"',
      'export VALENCE_DOMAIN="your.domain.com"',
      'export LETSENCRYPT_EMAIL="your@email.com"',
      '# SSH Key (choose ONE of these options)\nexport VALENCE_SSH_PUBKEY_FILE="~/.ssh/valence_pod.pub"  # Path to public key file\n# OR\n',
      'export VALENCE_SSH_PUBKEY="ssh-ed25519 AAAA... user@host"  # Inline key content',
      '# Matrix/Synapse secrets\n',
      '# API keys for VKB service\nexport OPENAI_API_KEY="sk-..."',
      'export ANTHROPIC_API_KEY="sk-ant-..."',
    ])
      expect(example).toContain(line)
  })

  test('reads without a warning, and a shell sources it', () => {
    const { broken, spaced, assignments } = parseEnvText(example, '/home/someone')
    expect([broken, spaced]).toEqual([[], []])
    expect(assignments.every(({ value, shell }) => 'value' in shell && shell.value === value)).toBe(true)
    for (const shell of ['bash', 'dash'])
      execFileSync(shell, ['-euc', '. "$1"', shell, join(folder({ example }), 'example')])
  })

  // The key that opens backups is elsewhere most of the time: a deploy does not ask for its file.
  const keptApart = 'STOAT_BACKUP_IDENTITY_FILE'

  // Uncommented, so that every placeholder of optional variables is tried as well.
  test.each(schemas)('copied as it is, nothing of it passes for a value: $workspace', (schema) => {
    const whole = example.replace(/^# export/gm, 'export')
    const { problems = [], sources } = loadEnv({
      schema,
      root: folder({ '.env': whole }),
      processEnv: { HOME: '/nonexistent' },
      purpose: 'validate',
    })
    for (const [name, type] of Object.entries(schema.variables)) {
      const meta = type.meta()
      const made = meta?.generate !== undefined
      if (made && presence(type).optional) expect(sources[name]).toBeUndefined()
      else if (meta?.placeholder || made || (meta?.path && name !== keptApart))
        expect(problems.map((one) => one.variable)).toContain(name)
      else expect(sources[name]).toBe('.env')
    }
  })

  // Values of the example that are in force once it is copied: all but the default of a path are somebody else's.
  test.each(schemas)('each value of it that must be filled in is told as its placeholder: $workspace', (schema) => {
    const { problems = [] } = loadEnv({
      schema,
      root: folder({ '.env': example }),
      processEnv: { HOME: '/nonexistent' },
      purpose: 'validate',
    })
    const told = problems.filter(({ message }) => message.includes("the example's placeholder"))
    const must = Object.entries(schema.variables).filter(([, type]) => {
      const { optional } = presence(type)
      return !optional && type.meta()?.generate === undefined
    })
    expect(told.map(({ variable }) => variable)).toEqual(expect.arrayContaining(must.map(([name]) => name)))
  })
})

describe('a page', () => {
  const page = '# Title\n\n<!-- variables:pod -->\nold\n<!-- /variables:pod -->\n\nEnd\n'
  const made = { 'variables:pod': renderTable(podSchema) }

  test('only what stands between the markers changes, and a second time nothing', () => {
    const text = replaceTables(page, made)
    expect(text).toBe(`# Title\n\n<!-- variables:pod -->\n${renderTable(podSchema)}\n<!-- /variables:pod -->\n\nEnd\n`)
    expect(replaceTables(text, made)).toBe(text)
    expect(replaceTables('# no markers\n', made)).toBe('# no markers\n')
  })

  test.each([page.replace('<!-- /variables:pod -->', ''), page.replace('<!-- variables:pod -->', '')])(
    'half a pair of markers is an error',
    (text) => {
      expect(() => replaceTables(text, made)).toThrow(/variables:pod --> is missing/)
    },
  )

  test('a row for each variable, with four cells', () => {
    const rows = renderTable(podSchema).split('\n').slice(2)
    expect(rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1])).toEqual(Object.keys(podSchema.variables))
    expect(rows.every((row) => row.split(/(?<!\\)\|/).length === 6)).toBe(true)
    expect(rows.find((row) => row.includes('`VALENCE_SSH_PORT`'))).toBe(
      '| `VALENCE_SSH_PORT` | no | `22` | Port of sshd on the host |',
    )
  })
})
