import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnvText } from '@infra/shared/env/env-text'
import { generateMissing } from '@infra/shared/env/generate'
import { importTfvars } from '@infra/shared/env/import'
import { shellLine } from '@infra/shared/env/shell-line'
import type { Schema } from '@infra/shared/env/variable'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { podSchema } from '../../../pod/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import { folder } from './place.ts'

const home = '/home/someone'

/** What bash has of A, B and C after it sourced this text; those that it does not have are left out. */
function byBash(text: string): Record<string, string> {
  const file = join(folder({ f: text }), 'f')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's braces
  const script = 'set -a; source "$1"; for n in A B C; do [ -z "${!n+x}" ] || printf "%s=%s\\0" "$n" "${!n}"; done'
  const printed = execFileSync('bash', ['-c', script, 'bash', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home },
  })
  return Object.fromEntries(
    printed
      .split('\0')
      .filter(Boolean)
      .map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
  )
}

const byUs = (text: string) =>
  Object.fromEntries(
    parseEnvText(text, home).assignments.flatMap(({ name, value }) => (/^[ABC]$/.test(name) ? [[name, value]] : [])),
  )

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: a shell's braces
test.each([
  'declare -x A="1"',
  'declare -x A="a\\$b\\"c\\`d\\\\e"',
  'declare -x A="two\nlines" \nB=3',
  "declare -xr A='x y'",
  'declare A=1 B="2 3"',
  'declare -x A\nB=1',
  "typeset -x A=1 B='2'",
  'readonly A=1',
  'export A=1 B=2',
  'export A="1 2" B=\'3 4\' C=5 # B=6',
  'export A=1 B',
  'export A=1 \\\n  B=2 \\\n  C=3',
  'A=1 B=2',
  'A="1" B="2"',
  'A=\'1\' B="2"C',
  'A= B=2',
  'A=1\tB=2',
  'A=~/x B=$HOME/y C="${HOME}/z"',
  'A=b==1 B=2',
  'A=1; B=2',
  'A=1;B=2;',
  'A=1; export A',
  'export A=1; export B="2;3"',
  'A=\\  B=\\;',
  'A=x\\\ny B=2',
  'export A="x\ny" B="z"\nC=1',
  '  export   A=1   B=2',
  'A=1 B=2\n# C=3\nC=4',
])('%j: as bash sources it', (text) => {
  expect(byUs(text)).toEqual(byBash(text))
  expect(parseEnvText(text, home)).toMatchObject({ broken: [], unread: [] })
})
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: a shell's braces

test('random lines: whatever is read of several assignments is what bash has', () => {
  const pieces = ['A=', 'B=', 'C=', ' ', ' ', 'x', '"', "'", '\\', ';', '#', 'export ', 'declare -x ', '"y z"']
  let state = 20261129
  const next = (below: number) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
  let compared = 0
  for (let round = 0; round < 4000 && compared < 60; round++) {
    const text = Array.from({ length: 4 + next(6) }, () => pieces[next(pieces.length)])
      .join('')
      .concat('\n')
    if (!shellLine(text, 0)?.special) continue
    compared++
    expect([text, byUs(text)]).toEqual([text, byBash(text)])
  }
  expect(compared).toBe(60)
})

const generate = (schema: Schema, root: string) => generateMissing({ schema, root, processEnv: { HOME: home } })

describe('--generate', () => {
  // The cluster's environment has no variable that is generated.
  const schemas: [Schema, variable: string][] = [
    [podSchema, 'VALENCE_DB_PASSWORD'],
    [stoatSchema, 'STOAT_ENCRYPTION_KEY'],
  ]

  test.each(schemas)('%# keeps what only a shell can read', ({ workspace, ...rest }, name) => {
    for (const line of [`declare -x ${name}="kept"`, `export OTHER=1 ${name}="kept"`, `OTHER="1" ${name}='kept'`]) {
      const root = folder({ [`.env.${workspace}`]: `${line}\n` })
      expect(generate({ workspace, ...rest }, root).written).not.toContain(name)
      expect(readFileSync(join(root, `.env.${workspace}`), 'utf8').split(name)).toHaveLength(2)
    }
  })

  test.each(schemas)('%# stops at a line that may set what is missing, and writes nothing', (schema, name) => {
    const file = `.env.${schema.workspace}`
    for (const line of [
      `${name}: kept`,
      `${name}+=kept`,
      `declare -i ${name}=5`,
      `export "${name}=kept"`,
      `A=1 && ${name}=kept`,
      `A=1 ${name}=kept true`,
      `A=1 | ${name}=kept`,
      `read ${name} </dev/null`,
      `: "\${${name}:=kept}"`,
      `A="\${${name}:=kept}"`,
      `if true; then ${name}=kept; fi`,
      `A="open ${name}=kept`,
      '. ./secrets.sh',
      'source ~/secrets.sh',
    ]) {
      const text = `# mine\nX=1\n${line}\n`
      const root = folder({ [file]: text })
      const { written, problems } = generate(schema, root)
      expect([line, written]).toEqual([line, []])
      expect(
        problems.find(({ variable }) => variable === name),
        line,
      ).toMatchObject({
        message: expect.stringContaining(`${file}:3`),
        remedy: expect.stringContaining(name),
        file,
      })
      expect(JSON.stringify(problems)).not.toContain('kept')
      expect(readFileSync(join(root, file), 'utf8')).toBe(text)
    }
  })

  test('also where the line is in .env, and the file itself is not there yet', () => {
    const root = folder({ '.env': 'VALENCE_DB_PASSWORD: kept\n' })
    expect(generate(podSchema, root)).toMatchObject({
      written: [],
      created: false,
      problems: [{ variable: 'VALENCE_DB_PASSWORD', message: expect.stringContaining('.env:1') }],
    })
    expect(existsSync(join(root, '.env.pod'))).toBe(false)
  })

  test('a comment, a value that mentions it, and a broken line of another name stop nothing', () => {
    const root = folder({
      '.env.pod':
        '# VALENCE_DB_PASSWORD=x\nURL="postgres://v:$VALENCE_DB_PASSWORD@h/v"\nVALENCE_DB_PASSWORD_OLD: x\nexport VALENCE_DB_PASSWORD\n',
    })
    expect(generate(podSchema, root)).toMatchObject({
      problems: [],
      written: expect.arrayContaining(['VALENCE_DB_PASSWORD']),
    })
  })
})

test("Terraform's variables are not written beside a line that may set them", () => {
  const [name, type] = Object.entries(clusterSchema.variables).find(([, type]) => type.meta()?.tfvar) ?? []
  const text = `${name}+=kept\n`
  const root = folder({ '.env.cluster': text })
  const done = importTfvars({ schemas: [clusterSchema], root, text: `${type?.meta()?.tfvar} = "x"\n` })
  expect(done.problems).toEqual([{ line: 1, message: expect.stringContaining(`${name} may be set in .env.cluster:1`) }])
  expect(readFileSync(join(root, '.env.cluster'), 'utf8')).toBe(text)
})
